/** The line between table and detail: dragged, or moved with the arrow keys. */

import { signal } from "@preact/signals";

const STEP = 5;
const LEAST = 15;
const MOST = 80;
const share = signal(42); // percent of the height that is the detail's

export function Splitter() {
  const set = (value: number, element: HTMLElement): void => {
    share.value = Math.round(Math.min(MOST, Math.max(LEAST, value)));
    element.parentElement?.style.setProperty("--detail", `${share.value}%`);
  };
  return (
    <div
      class="splitter"
      role="separator"
      aria-label="Height of the details"
      aria-orientation="horizontal"
      aria-valuenow={share.value}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      ref={(element) => {
        if (element !== null) set(share.peek(), element);
      }}
      onKeyDown={(event) => {
        const steps: Record<string, number> = { ArrowUp: STEP, ArrowDown: -STEP };
        const step = steps[event.key];
        if (step !== undefined) set(share.value + step, event.currentTarget);
      }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        const { currentTarget } = event;
        const box = currentTarget.parentElement?.getBoundingClientRect();
        if (box === undefined || !currentTarget.hasPointerCapture(event.pointerId)) return;
        set(((box.bottom - event.clientY) / box.height) * 100, currentTarget);
      }}
    />
  );
}
