/** What moves the page waits until no button of the mouse is held: else the click would miss. */

let isHeld = false;
let waiting: (() => void)[] = [];

function release(): void {
  isHeld = false;
  const acts = waiting;
  waiting = [];
  // The click itself comes just after the release.
  setTimeout(() => {
    for (const act of acts) act();
  });
}

addEventListener(
  "pointerdown",
  () => {
    isHeld = true;
  },
  { capture: true },
);
addEventListener("pointerup", release, { capture: true });
addEventListener("pointercancel", release, { capture: true });

/** Do it now, or when the button that is held is released. */
export function afterPress(act: () => void): void {
  if (isHeld) waiting.push(act);
  else act();
}
