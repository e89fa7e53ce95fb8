/**
 * Segments that wait for their acknowledgement: lists in one pool, nothing is allocated per packet.
 *
 * A side has at most `MAX_OF_SIDE`, all together `MAX_SEGMENTS`; where there is no room a segment is
 * left out and counted, so that its acknowledgement names no row.
 */

import type { Side } from "./flow";

const MAX_SEGMENTS = 65_536;
const MAX_OF_SIDE = 8192;
const NONE = -1;

export class Segments {
  /** Segments that found no room. */
  leftOut = 0;
  private readonly from = new Int32Array(MAX_SEGMENTS);
  private readonly to = new Int32Array(MAX_SEGMENTS);
  private readonly rows = new Float64Array(MAX_SEGMENTS);
  private readonly older = new Int32Array(MAX_SEGMENTS);
  private free = NONE;
  private used = 0;

  add(side: Side, from: number, to: number, row: number): void {
    const at = side.segmentCount < MAX_OF_SIDE ? this.take() : NONE;
    if (at === NONE) {
      this.leftOut++;
      return;
    }
    this.from[at] = from;
    this.to[at] = to;
    this.rows[at] = row;
    this.older[at] = side.segments;
    if (side.segments === NONE) {
      side.oldest = at;
      side.first = from;
      side.last = to;
    } else {
      if (((from - side.first) | 0) < 0) side.first = from;
      if (((to - side.last) | 0) > 0) side.last = to;
    }
    side.segments = at;
    side.segmentCount++;
  }

  /** The row of the oldest segment, which was probably sent again; -1 for none. */
  oldest(side: Side): number {
    return side.segments === NONE ? NONE : (this.rows[side.oldest] ?? NONE);
  }

  /** Drop what an acknowledgement covers; return the row of the segment that it ends with, or -1. */
  acknowledge(side: Side, upTo: number): number {
    if (side.segments === NONE || ((upTo - side.first) | 0) <= 0) return NONE;
    let ended = NONE;
    let before = NONE;
    for (let at = side.segments; at !== NONE; ) {
      const after = this.older[at] ?? NONE;
      const to = this.to[at] ?? 0;
      const beyond = (to - upTo) | 0;
      if (beyond === 0) ended = this.rows[at] ?? NONE;
      if (beyond > 0) {
        if (((upTo - (this.from[at] ?? 0)) | 0) > 0) this.from[at] = upTo;
        const from = this.from[at] ?? 0;
        if (before === NONE) {
          side.first = from;
          side.last = to;
        } else {
          if (((from - side.first) | 0) < 0) side.first = from;
          if (((to - side.last) | 0) > 0) side.last = to;
        }
        before = at;
      } else {
        if (before === NONE) side.segments = after;
        else this.older[before] = after;
        side.segmentCount--;
        this.give(at);
      }
      at = after;
    }
    side.oldest = before;
    return ended;
  }

  /** Bytes from the first that waits to the last. */
  flight(side: Side): number {
    return side.segments === NONE ? 0 : (side.last - side.first) | 0;
  }

  /** Forget what a side waits for. */
  release(side: Side): void {
    for (let at = side.segments; at !== NONE; ) {
      const after = this.older[at] ?? NONE;
      this.give(at);
      at = after;
    }
    side.segments = NONE;
    side.segmentCount = 0;
  }

  private take(): number {
    const at = this.free;
    if (at !== NONE) {
      this.free = this.older[at] ?? NONE;
      return at;
    }
    return this.used < MAX_SEGMENTS ? this.used++ : NONE;
  }

  private give(at: number): void {
    this.older[at] = this.free;
    this.free = at;
  }
}
