import { toast } from "../components/toast";
import { announce, csrfToken } from "../dom";
import { gettext } from "../i18n";
import { refusal } from "./refusal";
import { markSection } from "./side-menu";

const FRAME_MARK = 'data-frame="console"';

interface SwapDetail {
  xhr: XMLHttpRequest;
  target: Element;
  boosted: boolean;
  shouldSwap: boolean;
  isError: boolean;
  serverResponse: string;
  selectOverride?: string;
  swapOverride?: string;
  requestConfig: { verb: string; path: string; elt: Element; triggeringEvent?: Event };
}

/**
 * Links and forms inside `<body hx-boost="true">` exchange only `#main`: what lies outside it (the uploads, above all)
 * lives on. Inside an element with `data-region` and an id, a link that changes only the query (pages, sorting, filters)
 * exchanges that element alone; so does a link with its own hx-target. Answers that are not pages of the console
 * (sign-in, operators' admin, error pages) are loaded as ordinary pages.
 */
export function startNavigation(): void {
  document.addEventListener("htmx:configRequest", (event) => {
    const { verb, headers } = (event as CustomEvent<{ verb: string; headers: Record<string, string> }>).detail;
    if (verb !== "get") headers["X-CSRFToken"] = csrfToken();
  });
  document.addEventListener("htmx:beforeSwap", (event) => beforeSwap((event as CustomEvent<SwapDetail>).detail));
  document.addEventListener("htmx:afterSwap", (event) => {
    const { boosted, target } = (event as CustomEvent<SwapDetail>).detail;
    if (boosted && target.id === "main") pageChanged();
  });
  document.addEventListener("htmx:historyRestore", pageChanged);
  document.addEventListener("htmx:sendError", (event) => {
    if (byPerson((event as CustomEvent<SwapDetail>).detail)) {
      toast(gettext("The server cannot be reached. Check your connection and try again."), { level: "error" });
    }
  });
  for (const [name, busy] of [
    ["htmx:beforeRequest", true],
    ["htmx:afterRequest", false],
  ] as const) {
    document.addEventListener(name, (event) => {
      if ((event as CustomEvent<SwapDetail>).detail.boosted)
        document.documentElement.toggleAttribute("data-busy", busy);
    });
  }
}

function beforeSwap(detail: SwapDetail): void {
  const isPage = /^\s*<!doctype html/i.test(detail.serverResponse);
  const isConsolePage = isPage && detail.serverResponse.includes(FRAME_MARK);
  const isGet = detail.requestConfig.verb === "get";
  if (isPage && !isConsolePage) {
    detail.shouldSwap = false;
    if (byPerson(detail)) location.assign(isGet || detail.xhr.status < 400 ? detail.xhr.responseURL : location.href);
    return;
  }
  if (detail.isError) {
    detail.shouldSwap = isConsolePage && detail.boosted;
    if (!detail.shouldSwap) {
      if (byPerson(detail)) showRefusal(detail);
      return;
    }
  }
  if (!detail.boosted) return;
  if (!isPage) {
    detail.shouldSwap = false;
    if (isGet) location.assign(detail.xhr.responseURL);
    return;
  }
  if (detail.target !== document.body) return;
  const region = regionOf(detail);
  const target = region ?? document.getElementById("main");
  if (!target) return;
  detail.target = target;
  detail.selectOverride = `#${target.id}`;
  detail.swapOverride = region ? "outerHTML show:none" : "outerHTML show:window:top";
}

/** The region around a link or form that leads to the page it is on: pages, sorting, filters. */
function regionOf({ requestConfig, xhr }: SwapDetail): Element | null {
  const region = requestConfig.elt.closest("[data-region][id]");
  return region && new URL(xhr.responseURL).pathname === location.pathname ? region : null;
}

/** Polling fails silently and tries again; only what a person asked for is answered with a message. */
function byPerson(detail: SwapDetail): boolean {
  return detail.boosted || detail.requestConfig.triggeringEvent !== undefined;
}

function showRefusal(detail: SwapDetail): void {
  const sentence = refusal(detail.serverResponse, detail.xhr.getResponseHeader("Content-Type") ?? "");
  const body = detail.requestConfig.elt.closest("dialog")?.querySelector(".dialog-body");
  if (!body) {
    toast(sentence, { level: "error" });
    return;
  }
  const note = body.querySelector("[data-refusal]") ?? document.createElement("p");
  note.setAttribute("data-refusal", "");
  note.setAttribute("role", "alert");
  note.className = "note note-bad";
  note.textContent = sentence;
  body.prepend(note);
}

function pageChanged(): void {
  document.getElementById("dialog-host")?.replaceChildren();
  for (const dialog of document.querySelectorAll("dialog[open]")) (dialog as HTMLDialogElement).close();
  markSection();
  const main = document.getElementById("main");
  if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
  announce(document.title);
  document.dispatchEvent(new CustomEvent("deepcap:page-changed"));
}
