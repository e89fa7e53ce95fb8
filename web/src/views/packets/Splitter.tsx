/** The line between table and detail: dragged, or moved with the arrow keys. */

import { LEAST_DETAIL, MOST_DETAIL } from "../../models/table-layout";
import { useTools } from "./tools";

const STEP = 5;

export function Splitter() {
  const { layout } = useTools();
  const share = layout.detail;
  const set = (value: number, element: HTMLElement): void => {
    layout.divide(value);
    element.parentElement?.style.setProperty("--detail", `${share.peek()}%`);
  };
  return (
    <div
      class="splitter"
      role="separator"
      aria-label="Height of the details"
      aria-orientation="horizontal"
      aria-valuenow={share.value}
      aria-valuemin={LEAST_DETAIL}
      aria-valuemax={MOST_DETAIL}
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
