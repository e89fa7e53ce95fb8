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
      element.querySelector("summary")?.focus();
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
