import { element } from "@console/dom.ts";
import { gettext } from "@console/i18n.ts";
import type { App } from "../app.ts";
import type { Commands } from "../commands.ts";
import type { ToolName, Tools } from "../viewport/tools.ts";
import { type ControlOptions, control, press } from "./controls.ts";
import { overflowing } from "./overflow.ts";

const TOOL_BUTTONS: { tool: ToolName; icon: string; label: string; key: string }[] = [
  { tool: "pan", icon: "hand", label: gettext("Pan"), key: "P" },
  { tool: "zoom", icon: "search", label: gettext("Zoom"), key: "Z" },
  { tool: "browse", icon: "layers", label: gettext("Browse images"), key: "B" },
  { tool: "magnify", icon: "zoom-in", label: gettext("Magnifier"), key: "G" },
  { tool: "length", icon: "ruler", label: gettext("Length"), key: "L" },
  { tool: "angle", icon: "triangle-right", label: gettext("Angle"), key: "A" },
  { tool: "rectangle", icon: "square-dashed", label: gettext("Rectangular region"), key: "E" },
  { tool: "ellipse", icon: "circle-dashed", label: gettext("Elliptical region"), key: "O" },
];

/** The bar on top: tools, zoom, turning, and what belongs to the page. */
export function buildToolbar(app: App, tools: Tools, commands: Commands): HTMLElement {
  const windowButton = control({
    id: "tool-window",
    icon: "contrast",
    label: gettext("Window level"),
    key: "W",
    onClick: () => (tools.active === "window" ? commands.windowMenu() : tools.select("window")),
  });
  const windowMenu = control({
    id: "window-menu-button",
    icon: "chevron-down",
    label: gettext("Window level menu"),
    class: "narrow",
    onClick: () => commands.windowMenu(),
  });
  windowMenu.setAttribute("aria-haspopup", "true");
  const toolButtons = TOOL_BUTTONS.map(({ tool, ...rest }) => {
    const button = control({ id: `tool-${tool}`, ...rest, onClick: () => tools.select(tool) });
    return { tool, button };
  });
  const zoom = control({
    id: "zoom",
    label: gettext("Zoom: fit or 1:1"),
    text: "100%",
    class: "zoom",
    onClick: commands.toggleFit,
  });

  const reflect = () => {
    press(windowButton, tools.active === "window");
    for (const { tool, button } of toolButtons) press(button, tool === tools.active);
  };
  app.on("tool", reflect);
  app.on("view", () => {
    const label = `${Math.round(app.stage.scale * 100)}%`;
    const text = zoom.querySelector("span");
    if (text && text.textContent !== label) text.textContent = label;
    zoom.setAttribute("aria-label", `${gettext("Zoom")} ${label}`);
  });
  reflect();

  const button = (options: ControlOptions) => control(options);
  const buttons = toolButtons.map(({ button: one }) => one);
  const invert = button({
    id: "invert",
    icon: "sun-moon",
    label: gettext("Invert"),
    key: "I",
    pressed: false,
    onClick: commands.invert,
  });
  app.on("window", () => press(invert, app.inverted));
  const groups = [
    group(windowButton, windowMenu, ...buttons.slice(0, 2)),
    group(zoom),
    group(
      button({ icon: "zoom-out", label: gettext("Zoom out"), key: "-", onClick: commands.zoomOut }),
      button({ icon: "zoom-in", label: gettext("Zoom in"), key: "+", onClick: commands.zoomIn }),
      button({ icon: "maximize-2", label: gettext("Fit to window"), key: "F", onClick: commands.fit }),
      button({
        icon: "mouse-pointer-2",
        text: "1:1",
        label: gettext("One to one"),
        key: "1",
        onClick: commands.oneToOne,
        class: "text-only",
      }),
    ),
    group(...buttons.slice(2)),
    group(
      button({
        icon: "trash-2",
        label: gettext("Delete measurements"),
        key: "Delete",
        onClick: () => tools.clearMeasurements(),
      }),
    ),
    group(
      invert,
      button({ id: "rotate", icon: "rotate-cw-square", label: gettext("Rotate"), key: "R", onClick: commands.rotate }),
      button({
        id: "flip-h",
        icon: "flip-horizontal-2",
        label: gettext("Flip horizontally"),
        key: "H",
        onClick: commands.flipHorizontal,
      }),
      button({
        id: "flip-v",
        icon: "flip-vertical-2",
        label: gettext("Flip vertically"),
        key: "V",
        onClick: commands.flipVertical,
      }),
      button({ id: "reset", icon: "rotate-ccw", label: gettext("Reset"), key: "0", onClick: commands.reset }),
    ),
  ];
  return overflowing(element("div", { class: "toolbar", role: "toolbar", "aria-label": gettext("Tools") }), groups);
}

export function buildPageControls(app: App, commands: Commands): HTMLElement {
  const panel = control({
    id: "panel-button",
    icon: "panel-right",
    label: gettext("Annotations"),
    key: "N",
    onClick: commands.togglePanel,
  });
  app.on("overlays", () => press(panel, app.root.classList.contains("with-panel")));
  return element(
    "div",
    { class: "page-controls" },
    panel,
    control({ id: "info-button", icon: "info", label: gettext("Information"), key: "T", onClick: commands.info }),
    control({
      id: "help-button",
      icon: "circle-question-mark",
      label: gettext("Help"),
      key: "?",
      onClick: commands.help,
    }),
    control({ id: "close", icon: "x", label: gettext("Close"), key: "X", onClick: commands.close }),
  );
}

function group(...children: HTMLElement[]): HTMLElement {
  return element("div", { class: "group", role: "group" }, ...children);
}
