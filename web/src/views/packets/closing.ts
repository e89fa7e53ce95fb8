/** Parts that open over the view close with Escape, and with a click elsewhere. */

import { useEffect } from "preact/hooks";

/** Close an opened part with Escape, or by a click outside. */
export function useClosing(panel: { readonly current: HTMLDetailsElement | null }): void {
  useEffect(() => {
    const element = panel.current;
    if (element === null) return;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || !element.open) return;
      event.stopPropagation();
      element.open = false;
      // Where there is no room for its own button, another one opened it.
      const own = element.querySelector("summary");
      const more = element.parentElement?.querySelector<HTMLElement>(".more-menu");
      (own?.checkVisibility() ? own : more)?.focus();
    };
    const onDown = (event: Event): void => {
      if (!element.contains(event.target as Node)) element.open = false;
    };
    element.addEventListener("keydown", onKeyDown);
    document.addEventListener("pointerdown", onDown);
    return () => {
      element.removeEventListener("keydown", onKeyDown);
      document.removeEventListener("pointerdown", onDown);
    };
  }, [panel]);
}

/** Open a part, and go into it. */
export function openPanel(element: HTMLDetailsElement | null): void {
  if (element === null) return;
  element.open = true;
  const first = element.querySelector<HTMLElement>(".panel[tabindex], .panel input, .panel button");
  first?.focus();
}
