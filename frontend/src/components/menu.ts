const GAP = 6;

/**
 * Popover menus. The browser opens them, closes them on Esc or a press elsewhere, and puts them above everything;
 * this places them beside their button and adds the arrow keys of the ARIA menu pattern.
 */
export function startMenus(): void {
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!(menu instanceof HTMLElement) || !menu.matches(".menu[popover]")) return;
      const open = (event as ToggleEvent).newState === "open";
      const button = buttonOf(menu);
      button?.setAttribute("aria-expanded", String(open));
      if (!open || !button) return;
      place(menu, button);
      items(menu)[0]?.focus({ preventScroll: true });
    },
    { capture: true },
  );
  const replace = (): void => {
    for (const menu of document.querySelectorAll<HTMLElement>(".menu:popover-open")) {
      const button = buttonOf(menu);
      if (button) place(menu, button);
    }
  };
  addEventListener("scroll", replace, { capture: true, passive: true });
  addEventListener("resize", replace);
  document.addEventListener("keydown", (event) => {
    const menu = (event.target as Element).closest<HTMLElement>(".menu:popover-open");
    if (menu && moveFocus(menu, event.key)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const item = (event.target as Element).closest('[role="menuitem"]');
    item?.closest<HTMLElement>(".menu:popover-open")?.hidePopover();
  });
}

function buttonOf(menu: HTMLElement): HTMLElement | null {
  return document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
}

function items(menu: HTMLElement): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>('[role="menuitem"]:not(:disabled)')];
}

/** Below the button and flush with its right edge; above it, or shifted, where the window ends. */
function place(menu: HTMLElement, button: HTMLElement): void {
  const anchor = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = anchor.bottom + GAP + height <= innerHeight || anchor.top < height + GAP;
  menu.style.top = `${below ? anchor.bottom + GAP : anchor.top - GAP - height}px`;
  menu.style.left = `${Math.max(GAP, Math.min(anchor.right - width, innerWidth - width - GAP))}px`;
}

/** True if the key was one of the menu's. */
export function moveFocus(menu: HTMLElement, key: string): boolean {
  const all = items(menu);
  const now = all.indexOf(document.activeElement as HTMLElement);
  const next = {
    ArrowDown: now + 1,
    ArrowUp: now < 0 ? all.length - 1 : now - 1 + all.length,
    Home: 0,
    End: all.length - 1,
  }[key];
  if (next === undefined || !all.length) return false;
  all[next % all.length]?.focus();
  return true;
}
