import { element, icon } from "@console/dom.ts";
import { gettext, interpolate, ngettext } from "@console/i18n.ts";
import { remember, remembered } from "@console/preferences.ts";
import type { App } from "../app.ts";
import { type Kind, kindOf, type LoadedData, labelOf, type OverlayModel } from "../overlays/model.ts";
import type { Overlays } from "../overlays/overlays.ts";
import type { AnnotationDataInfo } from "../scene/types.ts";
import { control, eyeButton, swatch } from "./controls.ts";

const NAMES: Record<Kind, string> = { detection: gettext("Detection"), segmentation: gettext("Segmentation") };

/** The panel on the right: which annotation data are shown, their labels on this image, with eyes. */
export class AnnotationPanel {
  readonly element = element("aside", { class: "panel", id: "annotation-panel", "aria-label": gettext("Annotations") });
  private readonly body = element("div", { class: "panel-body" });

  constructor(
    private readonly app: App,
    private readonly overlays: Overlays,
  ) {
    const close = control({ icon: "x", label: gettext("Hide the panel"), key: "N", onClick: () => this.toggle() });
    this.element.append(element("header", {}, element("h2", {}, gettext("Annotation(s)")), close), this.body);
    app.on(["scene", "overlays"], () => this.build());
    app.on("state", () => app.state === "ready" && this.build());
  }

  private get model(): OverlayModel {
    return this.overlays.model;
  }

  /** Open where annotation data are shown, unless the person closed it. */
  openIfUseful(): void {
    const useful = this.app.scene.annotation_data.length > 0 && remembered("viewer.panel") !== "closed";
    this.app.root.classList.toggle("with-panel", useful && innerWidth >= 720);
    this.app.tell("overlays");
  }

  toggle(): void {
    const open = this.app.root.classList.toggle("with-panel");
    remember("viewer.panel", open ? null : "closed");
    this.app.tell("overlays");
  }

  private build(): void {
    const { annotation_data: all } = this.app.scene;
    if (!all.length) {
      this.body.replaceChildren(
        element("p", { class: "panel-empty" }, gettext("This dataset has no annotation data for this study.")),
      );
      return;
    }
    const focus = document.activeElement?.id;
    this.body.replaceChildren(...all.map((info) => this.section(info)), this.looks());
    if (focus) document.getElementById(focus)?.focus();
  }

  private section(info: AnnotationDataInfo): HTMLElement {
    const id = `data-${info.id}`;
    const box = element("input", { type: "checkbox", id, checked: this.model.isShown(info.id) });
    box.addEventListener("change", () => void this.overlays.setShown(info, box.checked));
    const role = info.role === "prediction" ? gettext("Prediction") : gettext("Ground truth");
    const head = element(
      "div",
      { class: "data-head" },
      box,
      element("label", { for: id }, info.name),
      element("span", { class: "role" }, role),
    );
    const data = this.model.shown.get(String(info.id));
    const fault = this.overlays.faults.get(String(info.id));
    const section = element("section", { class: "data" }, head);
    if (fault) section.append(element("p", { class: "panel-fault" }, fault));
    if (data) section.append(...this.contents(data));
    return section;
  }

  private contents(data: LoadedData): HTMLElement[] {
    const { slot } = this.app;
    if (!slot) return [];
    const here = this.model.of(data, slot.image.id, slot.frame);
    const classes = here.filter((one) => kindOf(one) === "classification" && one.value !== 0 && one.value !== false);
    const parts: HTMLElement[] = [];
    if (classes.length) {
      const chips = classes.map((one) => {
        const chip = element("li", { class: "chip" }, swatch(labelOf(data, one.label).color), one.label);
        if (one.score !== undefined) chip.append(element("span", { class: "score" }, one.score.toFixed(3)));
        return chip;
      });
      parts.push(element("h3", {}, gettext("Classification")), element("ul", { class: "chips" }, ...chips));
    }
    for (const kind of ["detection", "segmentation"] as const) {
      const ofKind = here.filter((one) => kindOf(one) === kind);
      if (ofKind.length) parts.push(this.kindHead(data, kind), this.labels(data, kind, ofKind));
    }
    if (!parts.length) {
      const none =
        data.info.role === "ground_truth" ? gettext("Not available on this image") : gettext("Nothing on this image");
      parts.push(element("p", { class: "panel-empty" }, none));
    }
    return parts;
  }

  private kindHead(data: LoadedData, kind: Kind): HTMLElement {
    const { id } = data.info;
    const label = interpolate(gettext("Show %(kind)s"), { kind: NAMES[kind] });
    return element("h3", { class: "with-eye" }, NAMES[kind], this.eye(label, `eye-${id}-${kind}`, id, kind));
  }

  private labels(data: LoadedData, kind: Kind, annotations: { label: string; score?: number }[]): HTMLElement {
    const names = [...new Set(annotations.map((one) => one.label))];
    const rows = names.map((name, index) => {
      const count = annotations.filter((one) => one.label === name).length;
      const label = interpolate(gettext("Show %(kind)s"), { kind: name });
      return element(
        "li",
        { class: "label-row" },
        swatch(labelOf(data, name).color),
        element("span", { class: "label-name" }, name),
        element(
          "span",
          {
            class: "label-count",
            title: ngettext("%s annotation", "%s annotations", count).replace("%s", String(count)),
          },
          String(count),
        ),
        this.eye(label, `eye-${data.info.id}-${kind}-${index}`, data.info.id, kind, name),
      );
    });
    return element("ul", { class: "labels" }, ...rows);
  }

  private eye(label: string, id: string, data: AnnotationDataInfo["id"], kind: Kind, name?: string): HTMLElement {
    const button = eyeButton(label, this.model.isOpen(data, kind, name), (open) => {
      this.model.setEye(open, data, kind, name);
      this.overlays.draw();
    });
    button.id = id;
    return button;
  }

  private looks(): HTMLElement {
    const opacity = element("input", {
      type: "range",
      id: "opacity",
      min: "0",
      max: "100",
      value: String(Math.round(this.model.opacity * 100)),
    });
    opacity.addEventListener("input", () => this.overlays.setOpacity(Number(opacity.value) / 100));
    return element(
      "section",
      { class: "looks" },
      element("label", { for: "opacity" }, gettext("Opacity of masks")),
      opacity,
    );
  }
}

/** The tag at the bottom right of the canvas: captions beside boxes and polygons. */
export function captionToggle(app: App, overlays: Overlays): HTMLElement {
  const button = control({
    id: "captions",
    icon: "tag",
    label: gettext("Captions"),
    key: "C",
    pressed: overlays.model.captions,
    class: "caption-toggle",
  });
  button.addEventListener("click", () => overlays.toggleCaptions());
  app.on("overlays", () => {
    button.hidden = !overlays.model.shown.size;
    button.setAttribute("aria-pressed", String(overlays.model.captions));
    button.replaceChildren(icon("tag"));
  });
  button.hidden = true;
  return button;
}
