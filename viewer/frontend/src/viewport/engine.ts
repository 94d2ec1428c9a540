import { remembered } from "@console/preferences.ts";
import { cache, Enums, init as initCore, type PlanarViewState, RenderingEngine, type Types } from "@cornerstonejs/core";
import { init as initTools } from "@cornerstonejs/tools";
import { registerLoader } from "../imaging/loader.ts";
import { withoutWebGl } from "./no-webgl.ts";

export const ENGINE = "deepcap";
export const VIEWPORT = "image";

export type Backend = "cpu" | "gpu";

/** Decoded pictures kept: one series of 1,000 CT slices, or a dozen of the largest radiographs. */
const CACHE_BYTES = 768 * 1024 ** 2;

/** Renderers that draw on the processor: four times slower through WebGL than straight to a 2-D canvas. */
const SOFTWARE = /swiftshader|llvmpipe|software|softpipe|basic render/i;

type ViewState = PlanarViewState;

/** What we use of the library's generic planar viewport, which answers to the stack API. */
export interface Viewport {
  setStack(imageIds: string[], index: number): Promise<string>;
  setImageIdIndex(index: number): Promise<string>;
  setProperties(properties: { voiRange?: Types.VOIRange; invert?: boolean; interpolationType?: number }): void;
  getViewState(): ViewState;
  setViewState(state: Partial<ViewState>): void;
  setViewPresentation(presentation: Partial<Types.ViewPresentation>): void;
  resetCamera(options: { resetPan?: boolean; resetZoom?: boolean; resetToCenter?: boolean }): boolean;
  getZoom(): number;
  setZoom(zoom: number, around?: Types.Point2): void;
  getPan(): Types.Point2;
  setPan(pan: Types.Point2): void;
  worldToCanvas(world: Types.Point3): Types.Point2;
  canvasToWorld(canvas: Types.Point2): Types.Point3;
  getCanvas(): HTMLCanvasElement;
  render(): void;
}

const FOUND = "deepcap.viewer.backend-found";

let chosen: Backend = "cpu";

export async function startEngine(element: HTMLDivElement): Promise<Viewport> {
  chosen = chooseBackend();
  initCore({
    rendering: { useCPURendering: chosen === "cpu", useGenericViewport: true, webGlContextCount: 1 },
    debug: {},
  });
  cache.setMaxCacheSize(CACHE_BYTES);
  registerLoader();
  initTools();
  const engine = new RenderingEngine(ENGINE);
  if (chosen === "cpu") withoutWebGl(engine);
  engine.enableElement({
    viewportId: VIEWPORT,
    type: Enums.ViewportType.STACK,
    element,
    defaultOptions: { background: [0, 0, 0] },
  });
  // Measurements are drawn in it; to screen readers the picture is one thing.
  element.querySelector("svg")?.setAttribute("aria-hidden", "true");
  return engine.getViewport(VIEWPORT) as unknown as Viewport;
}

export function backend(): Backend {
  return chosen;
}

/** What the person asked for (`deepcap.viewer.backend` in localStorage), else what is faster here. */
function chooseBackend(): Backend {
  const wish = remembered("viewer.backend");
  if (wish === "cpu" || wish === "gpu") return wish;
  try {
    // Asked once a tab: a context in software takes a tenth of a second to make.
    const found = sessionStorage.getItem(FOUND);
    if (found === "cpu") return found;
    const best = probe();
    sessionStorage.setItem(FOUND, best);
    return best;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error; // storage is forbidden
    return probe();
  }
}

function probe(): Backend {
  const context = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!context) return "cpu";
  const info = context.getExtension("WEBGL_debug_renderer_info");
  const renderer = String(context.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : context.RENDERER));
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return SOFTWARE.test(renderer) ? "cpu" : "gpu";
}
