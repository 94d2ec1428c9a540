import type { App } from "./app.ts";
import type { Overlays } from "./overlays/overlays.ts";

/** The page's own address: study, image, frame and annotation data, so that it can be passed on. */
export function addressOf(studyUrl: string, image: unknown, frame: number, annotationData: readonly unknown[]): string {
  const [path = "", query = ""] = studyUrl.split("?");
  const parameters = new URLSearchParams(query);
  for (const name of ["image", "frame", "annotation_data"]) parameters.delete(name);
  if (image !== undefined && image !== null) parameters.set("image", String(image));
  if (frame > 1) parameters.set("frame", String(frame));
  for (const id of annotationData) parameters.append("annotation_data", String(id));
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** The page of a study, from the address of its scene. */
export function pageOf(sceneUrl: string): string {
  return sceneUrl.replace(/scene\/(\?.*)?$/, "");
}

/** Images replace the address; studies add to the history, so that "back" goes to the study before. */
export function keepAddress(app: App, overlays: Overlays): void {
  const here = () => {
    const { image, frame } = app.idsOf();
    return addressOf(pageOf(app.scene.study.scene_url), image, frame, [...overlays.model.shown.keys()]);
  };
  let timer = 0;
  const replace = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      const address = here();
      // While "back" waits for its study the page still shows the one before, whose address this entry must not take.
      if (address.split("?")[0] === location.pathname) history.replaceState(history.state, "", address);
    }, 200);
  };
  app.on(["place", "overlays"], replace);
}
