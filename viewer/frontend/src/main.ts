import { element } from "@console/dom.ts";
import { gettext } from "@console/i18n.ts";
import { addressOf, keepAddress, pageOf } from "./address.ts";
import { publishApi } from "./api.ts";
import { App } from "./app.ts";
import { Cine } from "./cine.ts";
import { Commands } from "./commands.ts";
import { type Asked, expectResponse, fetchJson } from "./imaging/fetching.ts";
import { Overlays } from "./overlays/overlays.ts";
import { Prefetch } from "./prefetch.ts";
import type { Scene, StudyReference } from "./scene/types.ts";
import { AnnotationPanel, captionToggle } from "./ui/annotation-panel.ts";
import { buildBottomBar } from "./ui/bottom-bar.ts";
import { buildCorners } from "./ui/corners.ts";
import { buildHelp } from "./ui/help.ts";
import { Information } from "./ui/information.ts";
import { buildMagnifier } from "./ui/magnifier.ts";
import { buildMessages } from "./ui/messages.ts";
import { buildNavigator } from "./ui/navigator.ts";
import { buildPageControls, buildToolbar } from "./ui/toolbar.ts";
import { WindowMenu } from "./ui/window-menu.ts";
import { startEngine } from "./viewport/engine.ts";
import { bindGestures } from "./viewport/gestures.ts";
import { Stage } from "./viewport/stage.ts";
import { Tools } from "./viewport/tools.ts";
import "./styles/viewer.css";

/** Builds the page around the scene it came with, and shows the image it was opened on. */
export async function start(first: Asked | null): Promise<void> {
  if (first) expectResponse(first);
  const root = document.querySelector<HTMLElement>("#viewer");
  if (!root) throw new Error("The page has no #viewer.");
  try {
    await build(root, await firstScene(root));
  } catch (error) {
    root.dataset.viewerState = "error";
    const reason = error instanceof Error ? error.message : String(error);
    const retry = element("a", { class: "control", href: location.href }, gettext("Try again"));
    root.append(
      element(
        "div",
        { class: "fault", role: "alert" },
        element("p", {}, `${gettext("The viewer could not start.")} ${reason}`),
        retry,
      ),
    );
  }
}

async function firstScene(root: HTMLElement): Promise<Scene> {
  const inline = document.getElementById("viewer-scene")?.textContent;
  if (inline) return JSON.parse(inline) as Scene;
  return fetchJson<Scene>(root.dataset.sceneUrl + location.search);
}

async function build(root: HTMLElement, scene: Scene): Promise<void> {
  const surface = element("div", { class: "surface", id: "surface", role: "img", "aria-label": gettext("Image") });
  const view = element(
    "div",
    { class: "view", id: "view", tabindex: "-1", role: "region", "aria-label": gettext("Image") },
    surface,
  );
  const stageHost = element("div", { class: "stage" }, view);
  const top = element("header", { class: "top-bar" });
  document.querySelector(".boot-close")?.remove();
  root.append(top, stageHost);
  // Until the windowed picture takes its place the server's lies where that will be.
  stageHost.prepend(...[document.getElementById("viewer-preview")].filter((one) => one !== null));

  const stage = new Stage(await startEngine(surface), surface);
  const app = new App(root, stage, scene);
  const tools = new Tools(app);
  const cine = new Cine(app);
  const commands = new Commands(app, tools, cine);
  const overlays = new Overlays(app);
  const prefetch = new Prefetch(app);
  const windowMenu = new WindowMenu(app);
  const information = new Information(app);
  const help = buildHelp();
  const panel = new AnnotationPanel(app, overlays);

  top.append(buildToolbar(app, tools, commands), buildPageControls(app, commands));
  view.append(
    ...overlays.elements,
    ...buildCorners(app, view),
    ...buildMessages(app),
    buildNavigator(app),
    buildMagnifier(app, tools, view),
    captionToggle(app, overlays),
  );
  root.append(panel.element, buildBottomBar(app, commands, cine), windowMenu.element, information.element, help);

  commands.windowMenu = () => windowMenu.toggle(document.querySelector("#tool-window") ?? top);
  commands.info = () => information.open();
  commands.help = () => help.showModal();
  commands.close = () => location.assign(app.scene.dataset.url);
  commands.togglePanel = () => panel.toggle();
  commands.toggleCaptions = () => overlays.toggleCaptions();
  commands.toggleKind = (kind) => overlays.toggleKind(kind);
  commands.study = (by) => {
    const { previous, next } = app.scene.study;
    const study = by > 0 ? next : previous;
    if (study) void openStudy(study);
  };

  let asked = 0;
  /** Shows another study in this page; annotation data that it shares with this one stay shown. */
  async function openStudy(study: StudyReference, push = true): Promise<void> {
    const mine = ++asked;
    cine.stop();
    const kept = [...overlays.model.shown.keys()];
    try {
      const next = await prefetch.sceneOf(study);
      if (mine !== asked) return;
      const annotation_data = next.annotation_data.filter(({ id }) => kept.includes(String(id))).map(({ id }) => id);
      const selected = { ...next.selected, annotation_data };
      if (push)
        history.pushState(
          null,
          "",
          addressOf(pageOf(study.scene_url), selected.image, selected.frame, annotation_data),
        );
      await app.open({ ...next, selected });
    } catch (error) {
      if (mine === asked) app.fail(error);
    }
  }
  addEventListener("popstate", () => {
    const mine = ++asked;
    cine.stop();
    void fetchJson<Scene>(`${location.pathname}scene/${location.search}`).then(
      (next) => (mine === asked ? app.open(next) : undefined),
      (error: unknown) => (mine === asked ? app.fail(error) : undefined),
    );
  });

  app.on("scene", () => {
    document.title = `${app.scene.study.name} · ${app.scene.dataset.name} · DeepCap`;
    panel.openIfUseful();
  });
  app.on("state", () => app.state !== "loading" && document.getElementById("viewer-preview")?.remove());
  bindGestures(app, view, { browse: (by) => void app.step(by), study: (by) => commands.study(by > 0 ? 1 : -1) });
  commands.bindKeys();
  keepAddress(app, overlays);
  publishApi(app);
  await app.open(scene);
  tools.start();
}
