/**
 * `<form data-confirm-word="DELETE">` with a field named `confirmation`: its submit buttons work only while the field
 * holds exactly that word (upper and lower case matter, spaces count). The server checks the same again.
 */
export function syncConfirmation(form: HTMLFormElement): boolean {
  const field = form.elements.namedItem("confirmation");
  const typed = field instanceof HTMLInputElement && field.value === form.dataset.confirmWord;
  for (const control of form.elements) {
    if (control instanceof HTMLButtonElement && control.type === "submit") control.disabled = !typed;
  }
  return typed;
}

export function startConfirmWords(): void {
  const formOf = (event: Event): HTMLFormElement | null => {
    const { target } = event;
    const form = target instanceof HTMLFormElement ? target : target instanceof HTMLInputElement ? target.form : null;
    return form?.dataset.confirmWord === undefined ? null : form;
  };
  document.addEventListener("input", (event) => {
    const form = formOf(event);
    if (form) syncConfirmation(form);
  });
  document.addEventListener(
    "submit",
    (event) => {
      const form = formOf(event);
      if (!form || syncConfirmation(form)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
}

/** To be called for every part of the page that appears. */
export function prepareConfirmations(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-confirm-word]")) syncConfirmation(form);
}
