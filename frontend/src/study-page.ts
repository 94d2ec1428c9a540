import { closest } from "./dom";
import { gettext, interpolate } from "./i18n";

const DIGITS = 4;

/**
 * The page that shows a study's images one by one (`data-study-page`): every `data-key` names the key of its link. The
 * next picture is loaded before it is gone to, so that nothing flashes between two slices.
 */
export function startStudyPage(): void {
  let going = false;
  document.addEventListener("keydown", (event) => {
    const page = document.querySelector("[data-study-page]");
    if (!page || event.ctrlKey || event.metaKey || event.altKey || isBusyWith(event)) return;
    const link = page.querySelector<HTMLAnchorElement>(`a[href][data-key="${CSS.escape(event.key)}"]`);
    if (!link) return;
    event.preventDefault();
    link.click();
  });
  document.addEventListener(
    "click",
    async (event) => {
      const link = closest<HTMLAnchorElement>(event, "[data-study-page] a[data-preload]");
      const source = link?.dataset.preload;
      if (!link || !source) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (going) return;
      going = true;
      await loaded(source);
      going = false;
      delete link.dataset.preload;
      link.click();
    },
    { capture: true },
  );
  globalThis.htmx?.onLoad((part) => {
    const page = part instanceof Element ? (part.closest("[data-study-page]") ?? find(part)) : null;
    if (page) prepare(page);
  });
}

function find(part: Element): Element | null {
  return part.querySelector("[data-study-page]");
}

/** Dialogs and menus have the keys while they are open; a slider and a field keep theirs. */
function isBusyWith({ target, defaultPrevented }: KeyboardEvent): boolean {
  if (defaultPrevented || document.querySelector("dialog[open], .menu:popover-open")) return true;
  return target instanceof HTMLElement && target.matches("input, textarea, select");
}

async function loaded(source: string): Promise<void> {
  const picture = new Image();
  picture.src = source;
  await picture.decode().catch(() => {}); // what cannot be drawn is said by the page it leads to
}

function prepare(page: Element): void {
  for (const link of page.querySelectorAll<HTMLElement>("[data-preload]")) void loaded(link.dataset.preload ?? "");
  const picture = page.querySelector<HTMLImageElement>("[data-study-image]");
  const place = page.querySelector("[data-study-window]");
  if (picture && place) void tellWindow(picture, place);
}

/** The picture's headers say which rule chose the grey values; it comes out of the browser's cache. */
async function tellWindow(picture: HTMLImageElement, place: Element): Promise<void> {
  await picture.decode().catch(() => {});
  const { headers, ok } = await fetch(picture.src, { cache: "force-cache" });
  if (!ok) return;
  const [center, width] = ["X-Window-Center", "X-Window-Width"].map((name) => headers.get(name));
  const rule = ruleOf(headers.get("X-Window-Rule") ?? "");
  place.textContent =
    center && width
      ? interpolate(gettext("%(rule)s: centre %(center)s, width %(width)s"), {
          rule,
          center: short(center),
          width: short(width),
        })
      : rule;
}

function ruleOf(rule: string): string {
  const names: Record<string, string> = {
    window: gettext("Window of the file"),
    window_frame: gettext("Window of the frame"),
    window_given: gettext("Window"),
    voi_lut: gettext("Lookup table of the file"),
    min_max: gettext("Minimum to maximum"),
    colour: gettext("Colour"),
    palette: gettext("Palette colour"),
  };
  return names[rule] ?? rule;
}

function short(value: string): string {
  return String(Number(Number(value).toPrecision(DIGITS)));
}
