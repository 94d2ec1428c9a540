import { remember, remembered } from "@console/preferences.ts";
import {
  AngleTool,
  addTool,
  annotation,
  EllipticalROITool,
  Enums,
  LengthTool,
  RectangleROITool,
  ToolGroupManager,
} from "@cornerstonejs/tools";
import type { App } from "../app.ts";
import { rampOf } from "../imaging/windowing.ts";
import { BrowseTool, MagnifierTool, MoveTool, ScaleTool, WindowDragTool } from "./drag-tools.ts";
import { ENGINE, VIEWPORT } from "./engine.ts";
import { describeShape, type ShapeStatistics } from "./measurements.ts";

export const TOOLS = {
  window: WindowDragTool.toolName,
  pan: MoveTool.toolName,
  zoom: ScaleTool.toolName,
  browse: BrowseTool.toolName,
  magnify: MagnifierTool.toolName,
  length: LengthTool.toolName,
  angle: AngleTool.toolName,
  rectangle: RectangleROITool.toolName,
  ellipse: EllipticalROITool.toolName,
} as const;

export type ToolName = keyof typeof TOOLS;

const GROUP = "deepcap";
const MEASURING: readonly ToolName[] = ["length", "angle", "rectangle", "ellipse"];
const ZOOM_PER_PIXEL = 1.008;
const PIXELS_PER_STEP = 12;

/** Which tool the left button and one finger hold; the other buttons and fingers keep theirs. */
export class Tools {
  active: ToolName;
  private travelled = 0;

  constructor(private readonly app: App) {
    const wish = remembered("viewer.tool") ?? "";
    this.active = wish in TOOLS ? (wish as ToolName) : "window";
  }

  /** Lets the tools work; once there is a picture, because the library draws when a tool is chosen. */
  start(): void {
    this.register();
    this.select(this.active);
  }

  select(name: ToolName): void {
    this.active = name;
    remember("viewer.tool", name);
    const group = ToolGroupManager.getToolGroup(GROUP);
    if (!group) return;
    const { Primary, Secondary, Auxiliary } = Enums.MouseBindings;
    const bindings = new Map<string, object[]>([
      [TOOLS.pan, [{ mouseButton: Auxiliary }, { mouseButton: Primary, modifierKey: Enums.KeyboardBindings.Ctrl }]],
      [TOOLS.zoom, [{ mouseButton: Secondary }]],
    ]);
    bindings.set(TOOLS[name], [{ mouseButton: Primary }, { numTouchPoints: 1 }, ...(bindings.get(TOOLS[name]) ?? [])]);
    for (const tool of Object.values(TOOLS)) group.setToolPassive(tool, { removeAllBindings: true });
    for (const [tool, list] of bindings) group.setToolActive(tool, { bindings: list as never });
    this.app.tell("tool");
  }

  /** Takes away every length, angle and region of the study. */
  clearMeasurements(): void {
    annotation.state.removeAllAnnotations();
    this.app.stage.viewport.render();
  }

  private register(): void {
    const group = ToolGroupManager.createToolGroup(GROUP);
    if (!group) throw new Error("The tool group exists already.");
    for (const tool of [
      WindowDragTool,
      MoveTool,
      ScaleTool,
      BrowseTool,
      MagnifierTool,
      LengthTool,
      AngleTool,
      RectangleROITool,
      EllipticalROITool,
    ]) {
      addTool(tool);
    }
    const stage = this.app.stage;
    group.addTool(TOOLS.window, { dragged: (dx: number, dy: number) => this.dragWindow(dx, dy) });
    group.addTool(TOOLS.pan, { dragged: (dx: number, dy: number) => stage.panBy([dx, dy]) });
    group.addTool(TOOLS.zoom, { dragged: (_: number, dy: number) => stage.zoomBy(ZOOM_PER_PIXEL ** -dy) });
    group.addTool(TOOLS.browse, { dragged: (_: number, dy: number) => this.dragStack(dy) });
    group.addTool(TOOLS.magnify);
    for (const name of MEASURING) group.addTool(TOOLS[name], { getTextLines: this.textLines, shadow: true });
    group.addViewport(VIEWPORT, ENGINE);
    const { style } = annotation.config;
    style.setDefaultToolStyles({
      ...style.getDefaultToolStyles(),
      global: {
        ...style.getDefaultToolStyles().global,
        color: "#ffe14d",
        colorHighlighted: "#ffffff",
        colorSelected: "#7ff0dc",
        lineWidth: "2",
        textBoxColor: "#ffe14d",
        textBoxColorHighlighted: "#ffffff",
        textBoxColorSelected: "#7ff0dc",
        textBoxFontFamily: "system-ui, sans-serif",
        textBoxFontSize: "13px",
      },
    });
  }

  private readonly textLines = (data: { cachedStats?: Record<string, ShapeStatistics> }, target: string): string[] =>
    describeShape(data.cachedStats?.[target], this.app.image);

  /** A third of the ramp for each 200 pixels: as fast in a brain window as over the whole range. */
  private dragWindow(dx: number, dy: number): void {
    const { applied, image } = this.app;
    if (!applied || !image) return;
    const { low, high } = applied.ramp;
    const center = (low + high) / 2;
    const span = Math.max(high - low, 1e-6);
    const { slope, pixels } = image.deepcap;
    const least = pixels.components === 3 ? 1 : Math.abs(slope);
    const width = Math.max(least, span * 1.005 ** dx);
    const moved = center + (dy * span) / 300;
    this.app.setRamp(rampOf({ center: moved, width, function: "LINEAR_EXACT" }));
  }

  private dragStack(dy: number): void {
    this.travelled += dy;
    const steps = Math.trunc(this.travelled / PIXELS_PER_STEP);
    if (!steps) return;
    this.travelled -= steps * PIXELS_PER_STEP;
    void this.app.step(steps);
  }
}
