import { element } from "@console/dom.ts";
import { gettext } from "@console/i18n.ts";

type Lines = [string[], string][];

const HOTKEYS: [string, Lines][] = [
  [
    gettext("Browse"),
    [
      [[gettext("Mouse wheel"), "← →"], gettext("Browse images")],
      [["Space"], gettext("Autoplay")],
      [["< >"], gettext("Play slower, faster")],
      [[`Alt + ${gettext("wheel")}`, "Alt + ← →"], gettext("Browse studies")],
      [["Page Up, Page Down"], gettext("Ten images back, forth")],
      [["Home, End"], gettext("First, last image")],
      [["[ ]"], gettext("Previous, next series")],
    ],
  ],
  [
    gettext("Window level"),
    [
      [["W"], gettext("Window level; again for its menu")],
      [["Shift + 1"], gettext("The image's own window")],
      [["Shift + 2 … 7"], gettext("CT abdomen, angio, bone, brain, chest, lungs")],
      [["I"], gettext("Invert")],
    ],
  ],
  [
    gettext("Tools"),
    [
      [["P"], gettext("Pan")],
      [["Z"], gettext("Zoom")],
      [["B"], gettext("Browse by dragging")],
      [["G"], gettext("Magnifier")],
      [["L", "A"], gettext("Length, angle")],
      [["E", "O"], gettext("Rectangular, elliptical region")],
      [["Delete"], gettext("Delete measurements")],
    ],
  ],
  [
    gettext("View"),
    [
      [["+ −"], gettext("Zoom in, out")],
      [["F", "1"], gettext("Fit to window, one to one")],
      [["R"], gettext("Rotate")],
      [["H", "V"], gettext("Flip horizontally, vertically")],
      [["0"], gettext("Reset")],
    ],
  ],
  [
    gettext("Panels"),
    [
      [["N"], gettext("Annotations")],
      [["D", "M"], gettext("Show or hide detections, masks")],
      [["C"], gettext("Captions")],
      [["T"], gettext("Information and tags")],
      [["?"], gettext("This help")],
      [["X"], gettext("Close the viewer")],
    ],
  ],
];

const GESTURES: [string, Lines][] = [
  [
    gettext("Mouse"),
    [
      [[gettext("Left drag")], gettext("The chosen tool")],
      [[`Ctrl + ${gettext("drag")}`, gettext("middle drag")], gettext("Pan image")],
      [[gettext("Right drag"), `Ctrl + ${gettext("wheel")}`], gettext("Zoom image")],
      [[gettext("Wheel")], gettext("Browse images")],
      [[`Alt + ${gettext("wheel")}`], gettext("Browse studies")],
    ],
  ],
  [
    gettext("Touch"),
    [
      [[gettext("One finger")], gettext("The chosen tool")],
      [[gettext("Pinch")], gettext("Zoom image")],
      [[gettext("Two fingers")], gettext("Pan image")],
      [[gettext("Vertical drag")], gettext("Browse images, with the browse tool")],
    ],
  ],
];

/** The help dialog: hot keys and gestures, in two tabs. */
export function buildHelp(): HTMLDialogElement {
  const dialog = element("dialog", { class: "dialog help", id: "help", "aria-labelledby": "help-title" });
  const panels = [panel("hotkey", HOTKEYS), panel("gesture", GESTURES)] as const;
  const tabs = [gettext("HOTKEY"), gettext("GESTURE")].map((name, index) => {
    const tab = element(
      "button",
      { type: "button", role: "tab", class: "tab", id: `tab-${panels[index]?.id}`, "aria-controls": panels[index]?.id },
      name,
    );
    tab.addEventListener("click", () => select(index));
    return tab;
  });
  const select = (chosen: number) => {
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
    });
    panels.forEach((one, index) => {
      one.hidden = index !== chosen;
    });
  };
  const tabList = element("div", { class: "tabs", role: "tablist" }, ...tabs);
  tabList.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const next = tabs[0]?.getAttribute("aria-selected") === "true" ? 1 : 0;
    select(next);
    tabs[next]?.focus();
  });
  const close = element("button", { type: "button", class: "tab", id: "help-close" }, gettext("CLOSE"));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.append(
    element("header", {}, element("h2", { id: "help-title" }, gettext("Command")), tabList, close),
    element("div", { class: "dialog-body" }, ...panels),
  );
  select(0);
  return dialog;
}

function panel(id: string, groups: [string, Lines][]): HTMLElement {
  const parts = groups.map(([name, lines]) => {
    const rows = lines.map(([keys, what]) => {
      const alternatives = keys.flatMap((key, index) =>
        index ? [" ", element("kbd", {}, key)] : [element("kbd", {}, key)],
      );
      return element("div", { class: "help-row" }, element("dt", {}, ...alternatives), element("dd", {}, what));
    });
    return element("section", {}, element("h3", {}, name), element("dl", {}, ...rows));
  });
  return element("div", { id, role: "tabpanel", "aria-labelledby": `tab-${id}`, class: "help-panel" }, ...parts);
}
