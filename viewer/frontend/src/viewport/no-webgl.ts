import type { RenderingEngine } from "@cornerstonejs/core";
import vtkRenderer from "@kitware/vtk.js/Rendering/Core/Renderer.js";

type Renderer = ReturnType<typeof vtkRenderer.newInstance>;

/** The one "context" of an engine that draws without WebGL: renderers that hold a camera, and nothing to draw them with. */
class NoWindow {
  private readonly renderers = new Map<string, Renderer>();
  private readonly blank = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });

  addRenderer({ id, background }: { id: string; background: [number, number, number] }): void {
    this.renderers.set(id, vtkRenderer.newInstance({ background }));
  }

  getRenderer(id: string): Renderer | undefined {
    return this.renderers.get(id);
  }

  getRenderers(): { id: string; renderer: Renderer }[] {
    return [...this.renderers].map(([id, renderer]) => ({ id, renderer }));
  }

  removeRenderer(id: string): void {
    this.renderers.delete(id);
  }

  resize(): void {}

  /** Asked for before there is a picture to draw, and drawn from then: nothing. */
  getRenderWindow() {
    return {
      getViews: () => [{ getRenderPasses: () => null, setRenderPasses: () => undefined }],
      render: () => undefined,
    };
  }

  getOpenGLRenderWindow() {
    return { get3DContext: () => ({ canvas: this.blank }) };
  }
}

/** Answers as the library's pool of WebGL contexts does (`WebGLContextPool` of Cornerstone3D 5.14). */
class NoContexts {
  private readonly only = { context: new NoWindow(), container: {} };
  private size = { width: 1, height: 1 };

  getAllContexts(): NoWindow[] {
    return [this.only.context];
  }

  getContextByIndex(): { context: NoWindow; container: object } {
    return this.only;
  }

  getContextIndexForViewport(): number {
    return 0;
  }

  getContextCount(): number {
    return 1;
  }

  assignViewportToContext(): void {}

  removeViewport(): void {}

  updateViewportSize(_viewport: string, width: number, height: number): boolean {
    const changed = width !== this.size.width || height !== this.size.height;
    this.size = { width, height };
    return changed;
  }

  getMaxSizeForContext(): { width: number; height: number } {
    return this.size;
  }

  destroy(): void {}
}

/**
 * Keeps the engine from making a WebGL context, which it does even where everything is drawn on the processor: that fails
 * where there is no WebGL, and takes a quarter of a second where it runs in software. To be called before elements are enabled.
 */
export function withoutWebGl(engine: RenderingEngine): void {
  const inner = (engine as unknown as { _implementation?: { contextPool?: unknown } })._implementation;
  if (!inner || inner.contextPool) throw new Error("The rendering engine is not built as expected.");
  inner.contextPool = new NoContexts();
}
