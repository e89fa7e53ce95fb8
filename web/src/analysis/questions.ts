/**
 * Questions that wait for their answer, found by the conversation and what the answer repeats.
 *
 * A fixed table; where the places of a new question are all taken, the oldest of these goes. An
 * answer that comes after that stays without its question.
 */

const SIZE = 16_384; // a power of two
const PROBES = 8;

export class Questions {
  /** Questions that had to make room. */
  evicted = 0;
  /** What `find` or `put` came to. */
  at = -1;
  private readonly flows = new Float64Array(SIZE);
  private readonly keys = new Uint32Array(SIZE);
  readonly rows = new Float64Array(SIZE);
  /** The row of the answer; -1 without one. */
  readonly answers = new Float64Array(SIZE);

  /** Look for a question; `at` is its place, or -1. */
  find(flow: number, key: number): boolean {
    const home = place(flow, key);
    for (let probe = 0; probe < PROBES; probe++) {
      const at = (home + probe) & (SIZE - 1);
      if (this.flows[at] === flow && this.keys[at] === key >>> 0) {
        this.at = at;
        return true;
      }
    }
    this.at = -1;
    return false;
  }

  /** Remember a question, in the place of an older one of the same key. */
  put(flow: number, key: number, row: number): void {
    if (!this.find(flow, key)) {
      const home = place(flow, key);
      let oldest = home;
      for (let probe = 0; probe < PROBES; probe++) {
        const at = (home + probe) & (SIZE - 1);
        if (this.flows[at] === 0) {
          oldest = at;
          break;
        }
        if ((this.rows[at] ?? 0) < (this.rows[oldest] ?? 0)) oldest = at;
      }
      if (this.flows[oldest] !== 0 && (this.answers[oldest] ?? 0) < 0) this.evicted++;
      this.at = oldest;
    }
    const { at } = this;
    this.flows[at] = flow;
    this.keys[at] = key;
    this.rows[at] = row;
    this.answers[at] = -1;
  }

  clear(): void {
    this.flows.fill(0);
  }
}

function place(flow: number, key: number): number {
  const hash = Math.imul(flow ^ Math.imul(key, 0x9e3779b1), 0x85ebca6b);
  return (hash ^ (hash >>> 15)) & (SIZE - 1);
}
