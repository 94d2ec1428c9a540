/**
 * Runs in the head, before the first paint: applies the remembered theme and menu width, so that nothing flashes.
 * Must stay tiny and import nothing.
 */
{
  const root = document.documentElement;
  const remembered = (key: string): string | null => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is forbidden here: the defaults hold
    }
  };
  const theme = remembered("deepcap.theme");
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.bsTheme = dark ? "dark" : "light";
  root.dataset.menu = remembered("deepcap.menu") === "collapsed" ? "collapsed" : "expanded";
}

export {};
