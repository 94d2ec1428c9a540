/**
 * Runs first and is tiny: lets the browser paint the server's picture before the viewer itself, a few hundred kilobytes,
 * is fetched and started. The picture stays until the windowed image covers it.
 */
const PATIENCE = 400;

async function painted(): Promise<void> {
  const preview = document.querySelector<HTMLImageElement>("#viewer-preview");
  if (preview) {
    try {
      await preview.decode();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // no preview: the viewer says what is wrong
    }
  }
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
}

async function boot(): Promise<void> {
  await Promise.race([painted(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  const { start } = await import("./main.ts");
  await start();
}

boot().catch((error: unknown) => {
  document.getElementById("viewer")?.setAttribute("data-viewer-state", "error");
  throw error;
});

export {};
