/** How long to wait before the next attempt. */

const FIRST = 500;
const LONGEST = 10_000;

export class Backoff {
  private attempts = 0;

  /** Milliseconds: longer each time, jittered so that many pages do not come back at once. */
  next(): number {
    const longest = Math.min(LONGEST, FIRST * 2 ** this.attempts++);
    return longest * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.attempts = 0;
  }
}
