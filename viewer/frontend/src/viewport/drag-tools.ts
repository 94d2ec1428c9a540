import { BaseTool } from "@cornerstonejs/tools";

/** What a drag tells its owner: the way since the last call, in CSS pixels. */
export type Dragged = (dx: number, dy: number) => void;

interface DragDetail {
  detail: { deltaPoints: { canvas: [number, number] } };
}

abstract class DragTool extends BaseTool {
  constructor(properties = {}, defaults = { supportedInteractionTypes: ["Mouse", "Touch"], configuration: {} }) {
    super(properties, defaults);
  }

  mouseDragCallback(event: DragDetail): void {
    this.dragged(event);
  }

  touchDragCallback(event: DragDetail): void {
    this.dragged(event);
  }

  private dragged({ detail }: DragDetail): void {
    const [dx, dy] = detail.deltaPoints.canvas;
    (this.configuration as { dragged?: Dragged }).dragged?.(dx, dy);
  }
}

/** Drag to window: across for the width, down for the level. In output units, which Cornerstone does not know here. */
export class WindowDragTool extends DragTool {
  static override toolName = "DeepCapWindow";
}

/** Drag down or up to go through the stack. */
export class BrowseTool extends DragTool {
  static override toolName = "DeepCapBrowse";
}

/** Drag to move the picture; Cornerstone's own pan tool does not say that the picture left its fitted place. */
export class MoveTool extends DragTool {
  static override toolName = "DeepCapMove";
}

/** Drag up or down to zoom in or out. */
export class ScaleTool extends DragTool {
  static override toolName = "DeepCapScale";
}

/** Holds the button while `ui/magnifier.ts` shows its glass; the library's own magnifier fails on the first drag. */
export class MagnifierTool extends DragTool {
  static override toolName = "DeepCapMagnifier";
}
