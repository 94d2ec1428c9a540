const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; `true` sets an empty attribute, `false` and `undefined` leave it out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean | undefined> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) continue;
    made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function svg(tag: string, attributes: Record<string, string>, ...children: Node[]): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An icon of the sprite, hidden from screen readers. */
export function icon(name: string, extra = ""): SVGElement {
  const sprite = document.body.dataset.icons ?? "";
  return svg(
    "svg",
    { class: `icon ${extra}`.trim(), "aria-hidden": "true" },
    svg("use", { href: `${sprite}#${name}` }),
  );
}

export function iconButton(name: string, label: string, onClick: () => void): HTMLButtonElement {
  const button = element("button", {
    type: "button",
    class: "btn btn-quiet btn-icon-sm",
    "aria-label": label,
    title: label,
  });
  button.append(icon(name));
  button.addEventListener("click", onClick);
  return button;
}

/** The nearest element around an event's target that matches, or null. */
export function closest<E extends Element = HTMLElement>(event: Event, selector: string): E | null {
  return event.target instanceof Element ? event.target.closest<E>(selector) : null;
}

/** Says a sentence to screen readers without moving the focus. */
export function announce(sentence: string): void {
  const region = document.getElementById("announcer");
  if (region) region.textContent = sentence;
}

/** The cookie knows best: signing in again in another tab changes it; the page's own copy is for where scripts may not
 * read the cookie. */
export function csrfToken(): string {
  const cookie = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1];
  return cookie ?? document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}
