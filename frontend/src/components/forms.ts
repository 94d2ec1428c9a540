import { closest } from "../dom";

/**
 * `data-submit-on-change` on a form (page sizes, switches), search fields, and the eye beside a password. A search field
 * has searched already when Enter is pressed: sending its form would load the page anew and end the uploads.
 */
export function startForms(): void {
  document.addEventListener("change", (event) => {
    closest<HTMLFormElement>(event, "form[data-submit-on-change]")?.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    if (globalThis.htmx && closest(event, ".search-field")) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const button = closest(event, "[data-password-reveal]");
    const field = button && document.getElementById(button.dataset.passwordReveal ?? "");
    if (!(field instanceof HTMLInputElement)) return;
    field.type = field.type === "password" ? "text" : "password";
    button?.setAttribute("aria-pressed", String(field.type === "text"));
    field.focus();
  });
}
