import { remember } from "../preferences";

/** The collapse button, and the mark on the item whose section is shown. */
export function startSideMenu(): void {
  const button = document.querySelector<HTMLButtonElement>("[data-menu-collapse]");
  const root = document.documentElement;
  const describe = (): void => button?.setAttribute("aria-expanded", String(root.dataset.menu !== "collapsed"));
  describe();
  button?.addEventListener("click", () => {
    root.dataset.menu = root.dataset.menu === "collapsed" ? "expanded" : "collapsed";
    remember("menu", root.dataset.menu);
    describe();
  });
  markSection();
}

/** The item whose address is the longest beginning of the page's path gets `aria-current`. A page may name another
 * section with `data-section` on an element inside main. */
export function markSection(): void {
  const named = document.querySelector<HTMLElement>("#main [data-page-section]")?.dataset.pageSection;
  const path = named ?? location.pathname;
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".sidemenu-link[data-section]")];
  const matching = links.filter((link) => path.startsWith(link.dataset.section ?? "\n"));
  const current = matching.sort((a, b) => (b.dataset.section?.length ?? 0) - (a.dataset.section?.length ?? 0))[0];
  for (const link of links) {
    if (link === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
