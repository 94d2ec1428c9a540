import { remember, remembered } from "../preferences";

const systemDark = matchMedia("(prefers-color-scheme: dark)");

function apply(): void {
  const chosen = remembered("theme");
  const dark = chosen === "dark" || (chosen !== "light" && systemDark.matches);
  document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
}

/** `data-theme-toggle` switches light and dark and remembers it; `data-theme-system` forgets the choice. */
export function startTheme(): void {
  systemDark.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest("[data-theme-toggle]")) {
      remember("theme", document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark");
      apply();
    } else if (event.target.closest("[data-theme-system]")) {
      remember("theme", null);
      apply();
    }
  });
}
