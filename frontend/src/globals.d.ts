declare global {
  var htmx: typeof import("htmx.org").default | undefined;
}

export {};
