import { element } from "@console/dom.ts";
import { gettext } from "@console/i18n.ts";
import { control, placeBelow } from "./controls.ts";

/**
 * A bar of groups whose last groups go into a menu where there is no room for them, so that nothing has to be scrolled to.
 * Groups keep their order, and their controls keep what they are: the elements themselves move.
 */
export function overflowing(bar: HTMLElement, groups: readonly HTMLElement[]): HTMLElement {
  const menu = element("div", {
    class: "menu more-menu",
    id: "more-menu",
    popover: "auto",
    role: "group",
    "aria-label": gettext("More tools"),
  });
  const more = control({ id: "more", icon: "ellipsis", label: gettext("More tools") });
  more.setAttribute("aria-haspopup", "true");
  more.addEventListener("click", () => {
    menu.togglePopover();
    placeBelow(menu, more);
  });
  menu.addEventListener("click", () => menu.hidePopover());
  bar.append(...groups, more, menu);

  const arrange = () => {
    more.hidden = true;
    more.before(...groups);
    for (let kept = groups.length; kept > 1 && bar.scrollWidth > bar.clientWidth; kept--) {
      more.hidden = false;
      menu.prepend(groups[kept - 1] as HTMLElement);
    }
    if (more.hidden) menu.hidePopover();
  };
  new ResizeObserver(arrange).observe(bar);
  return bar;
}
