/**
 * What is known of each row: columns over typed arrays in a ring, nothing is allocated per packet.
 *
 * Other rows are told by their distance, which is never more than the ring holds; 0 is none. A row
 * keeps the message that its bytes lie in, as the ring of packets does, until it is dropped.
 */

import type { Flow } from "./flow";

const EMPTY = new Uint8Array();
/** Bytes of a record or a head that are put together. */
const MAX_BEHIND = 0xffff;
/** More than any payload has. */
export const NONE_BEGINS = 0xffff;

export class Rows {
  /** Number of the oldest row that is kept. */
  first = 0;
  /** Number of the next row. */
  end = 0;
  readonly flows: (Flow | null)[];
  readonly messages: Uint8Array[];
  /** Where the packet begins in its message. */
  readonly starts: Uint32Array;
  /** Where its upper layer begins in the packet. */
  readonly uppers: Uint16Array;
  /** Where the payload begins in the packet. */
  readonly payloads: Uint16Array;
  /** Bytes of the payload that are there. */
  readonly captured: Uint16Array;
  /** Bytes of the payload that were sent. */
  readonly lengths: Uint16Array;
  readonly marks: Uint32Array;
  /** Nanoseconds since the first packet. */
  readonly times: Float64Array;
  /** Distance to the previous row of the conversation. */
  readonly previous: Uint32Array;
  readonly duplicates: Uint16Array;
  readonly duplicateOf: Uint32Array;
  readonly acknowledged: Uint32Array;
  readonly resentFrom: Uint32Array;
  readonly flight: Uint32Array;
  readonly pushed: Uint32Array;
  /** Distance to the question, or to the answer, by the marks. */
  readonly partners: Uint32Array;
  /** Bytes of the payload before the first record or message that begins there; `NONE_BEGINS`. */
  readonly begins: Uint16Array;
  /**
   * Of a record of TLS, or a head of HTTP, that ends in this segment and began earlier: bytes of it
   * before this segment, and in it.
   */
  readonly behind: Uint16Array;
  readonly ends: Uint16Array;
  /** Distances to more questions or answers, of the few rows that have several. */
  readonly more = new Map<number, number[]>();
  private readonly mask: number;

  /** `capacity` is a power of two. */
  constructor(readonly capacity: number) {
    this.mask = capacity - 1;
    this.flows = new Array<Flow | null>(capacity).fill(null);
    this.messages = new Array<Uint8Array>(capacity).fill(EMPTY);
    this.starts = new Uint32Array(capacity);
    this.uppers = new Uint16Array(capacity);
    this.payloads = new Uint16Array(capacity);
    this.captured = new Uint16Array(capacity);
    this.lengths = new Uint16Array(capacity);
    this.marks = new Uint32Array(capacity);
    this.times = new Float64Array(capacity);
    this.previous = new Uint32Array(capacity);
    this.duplicates = new Uint16Array(capacity);
    this.duplicateOf = new Uint32Array(capacity);
    this.acknowledged = new Uint32Array(capacity);
    this.resentFrom = new Uint32Array(capacity);
    this.flight = new Uint32Array(capacity);
    this.pushed = new Uint32Array(capacity);
    this.partners = new Uint32Array(capacity);
    this.begins = new Uint16Array(capacity);
    this.behind = new Uint16Array(capacity);
    this.ends = new Uint16Array(capacity);
  }

  has(row: number): boolean {
    return row >= this.first && row < this.end;
  }

  slot(row: number): number {
    return row & this.mask;
  }

  /** Make place for a row, which comes after every other; return its place. */
  open(row: number): number {
    if (this.end === this.first || row - this.end >= this.capacity) {
      this.drop(this.end);
      this.first = this.end = row;
    }
    if (row + 1 - this.first > this.capacity) this.drop(row + 1 - this.capacity);
    // The rows between are losses: places that were dropped are empty already.
    this.end = row + 1;
    const slot = row & this.mask;
    this.uppers[slot] = this.payloads[slot] = this.captured[slot] = this.lengths[slot] = 0;
    this.marks[slot] = this.previous[slot] = this.duplicates[slot] = this.duplicateOf[slot] = 0;
    this.acknowledged[slot] = this.resentFrom[slot] = this.flight[slot] = 0;
    this.pushed[slot] = this.partners[slot] = this.begins[slot] = this.behind[slot] = 0;
    return slot;
  }

  /** Forget the rows before this one. */
  drop(first: number): void {
    const stop = Math.min(first, this.end);
    for (let row = this.first; row < stop; row++) {
      const slot = row & this.mask;
      this.flows[slot] = null;
      this.messages[slot] = EMPTY;
      if (this.more.size > 0) this.more.delete(row);
    }
    if (first > this.first) this.first = first;
    if (this.end < this.first) this.end = this.first;
  }

  /** Say that something ends in a row, so many bytes of it before its segment. */
  close(slot: number, behind: number, own: number): void {
    if (behind > MAX_BEHIND) return;
    this.behind[slot] = behind;
    this.ends[slot] = own;
  }

  /** Join a row with its question or answer, beside those that it has. */
  join(row: number, distance: number): void {
    const slot = row & this.mask;
    if ((this.partners[slot] ?? 0) === 0) this.partners[slot] = distance;
    else {
      const more = this.more.get(row);
      if (more === undefined) this.more.set(row, [distance]);
      else more.push(distance);
    }
  }

  /** The time of a row; NaN when it is no longer kept. */
  time(row: number): number {
    return this.has(row) ? (this.times[row & this.mask] ?? Number.NaN) : Number.NaN;
  }
}
