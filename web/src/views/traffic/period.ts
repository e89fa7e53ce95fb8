/** The time that figures are of: this page has none from before it was opened. */

import { clock, duration } from "../../models/units";

/** "in the last 5 min"; "since 08:40, when this page was opened" where it was opened within them. */
export function whenText(
  range: number,
  now: number = Date.now(),
  opened: number = performance.timeOrigin,
): string {
  return opened > now - 1000 * range
    ? `since ${clock(new Date(opened)).slice(0, 5)}, when this page was opened`
    : `in the last ${duration(range)}`;
}
