import { element, icon } from "@console/dom.ts";
import { gettext, interpolate } from "@console/i18n.ts";
import type { App } from "../app.ts";
import { CINE_SPEEDS, type Cine } from "../cine.ts";
import type { Commands } from "../commands.ts";
import { control, press } from "./controls.ts";

/** The bar below: which study of how many, the stack with its slider, cine, and the choice of a series. */
export function buildBottomBar(app: App, commands: Commands, cine: Cine): HTMLElement {
  const studies = element("span", { class: "studies", id: "study-position" });
  const previous = control({
    id: "previous-study",
    icon: "chevrons-left",
    label: gettext("Previous study"),
    key: "Alt+ArrowLeft",
    onClick: () => commands.study(-1),
  });
  const next = control({
    id: "next-study",
    icon: "chevrons-right",
    label: gettext("Next study"),
    key: "Alt+ArrowRight",
    onClick: () => commands.study(1),
  });
  const back = control({
    id: "previous-image",
    icon: "chevron-left",
    label: gettext("Previous image"),
    key: "ArrowLeft",
    onClick: () => void app.step(-1),
  });
  const forth = control({
    id: "next-image",
    icon: "chevron-right",
    label: gettext("Next image"),
    key: "ArrowRight",
    onClick: () => void app.step(1),
  });
  const slider = element("input", {
    type: "range",
    id: "stack",
    min: "1",
    step: "1",
    value: "1",
    "aria-label": gettext("Image of the stack"),
  });
  const count = element("span", { class: "count", id: "stack-position" });
  const play = control({
    id: "cine",
    icon: "play",
    label: gettext("Play"),
    key: "Space",
    pressed: false,
    onClick: () => cine.toggle(),
  });
  const speed = element("select", {
    id: "cine-speed",
    "aria-label": gettext("Frames a second"),
    title: gettext("Frames a second"),
  });
  const series = element("select", { id: "series", "aria-label": gettext("Series"), title: gettext("Series") });
  const stack = element("div", { class: "stack" }, back, slider, forth, count, play, speed);

  speed.append(...CINE_SPEEDS.map((fps) => element("option", { value: String(fps) }, `${fps} fps`)));
  speed.addEventListener("change", () => cine.setSpeed(Number(speed.value)));
  slider.addEventListener("input", () => void app.goTo(Number(slider.value) - 1));
  series.addEventListener("change", () => void app.openSeries(Number(series.value)));

  const reflect = () => {
    const { study } = app.scene;
    const total = app.slots.length;
    studies.textContent = interpolate(gettext("All Studies: %(position)s / %(total)s"), {
      position: study.position,
      total: study.total,
    });
    previous.hidden = !study.previous;
    next.hidden = !study.next;
    stack.hidden = total < 2;
    slider.max = String(total);
    slider.value = String(app.place + 1);
    const text = interpolate(gettext("%(place)s / %(total)s images"), { place: app.place + 1, total });
    count.textContent = text;
    slider.setAttribute("aria-valuetext", text);
    back.disabled = app.place === 0;
    forth.disabled = app.place >= total - 1;
  };
  const listSeries = () => {
    series.hidden = app.scene.series.length < 2;
    series.replaceChildren(
      ...app.scene.series.map((one, index) => {
        const name = [one.number === null ? "" : `#${one.number}`, one.modality, one.description]
          .filter(Boolean)
          .join(" · ");
        return element(
          "option",
          { value: String(index), selected: index === app.seriesIndex },
          `${name || gettext("Series")} (${one.images.length})`,
        );
      }),
    );
    reflect();
  };
  app.on("scene", listSeries);
  app.on("place", reflect);
  app.on("cine", () => {
    press(play, cine.playing);
    play.replaceChildren(icon(cine.playing ? "pause" : "play"));
    play.setAttribute("aria-label", cine.playing ? gettext("Pause") : gettext("Play"));
    speed.value = String(cine.speed);
  });
  listSeries();
  return element(
    "footer",
    { class: "bottom-bar" },
    element(
      "div",
      { class: "bottom-left" },
      control({ id: "bottom-info", icon: "info", label: gettext("Information"), key: "T", onClick: commands.info }),
      studies,
    ),
    element("div", { class: "bottom-middle" }, previous, next),
    element("div", { class: "bottom-right" }, series, stack),
  );
}
