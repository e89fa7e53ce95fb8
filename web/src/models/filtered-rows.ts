/** The rows of a ring that pass a filter, in order. Looks at each row once, a slice at a time. */

import type { Test } from "../filter/fields";
import { Headers } from "../packet/headers";
import { LOSS, type PacketRing } from "./packet-ring";

/** Rows between two looks at the clock. */
const SLICE = 256;

export class FilteredRows {
  /** Rows from this one on are left for later. */
  limit = Number.POSITIVE_INFINITY;
  private test: Test | null = null;
  private rows: Float64Array;
  private head = 0;
  private kept = 0;
  private cursor: number;
  private readonly headers = new Headers();

  constructor(private ring: PacketRing) {
    this.rows = new Float64Array(ring.bounds.packets);
    this.cursor = ring.first;
  }

  /** Rows that pass, of those looked at so far. */
  get count(): number {
    return this.test === null ? Math.max(0, this.end - this.ring.first) : this.kept;
  }

  /** Rows not looked at yet. */
  get pending(): number {
    return this.test === null ? 0 : Math.max(0, this.end - Math.max(this.cursor, this.ring.first));
  }

  /** The number of the row at a place among those that pass; -1 outside. */
  at(index: number): number {
    if (index < 0 || index >= this.count) return -1;
    if (this.test === null) return this.ring.first + index;
    return this.rows[(this.head + index) % this.rows.length] ?? -1;
  }

  /** The place of a row, or of the first one behind it. */
  indexOf(row: number): number {
    if (this.test === null) return Math.min(Math.max(row - this.ring.first, 0), this.count);
    let [low, high] = [0, this.kept];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Begin anew with another test; null lets everything pass. */
  filter(test: Test | null): void {
    this.test = test;
    this.restart();
  }

  /** Begin anew on another ring. */
  attach(ring: PacketRing): void {
    this.ring = ring;
    if (this.rows.length !== ring.bounds.packets) this.rows = new Float64Array(ring.bounds.packets);
    this.restart();
  }

  /** Drop what the ring has dropped and look at new rows until `expired` says stop. */
  advance(expired: () => boolean): void {
    const { ring, test, rows, headers } = this;
    if (test === null) return;
    while (this.kept > 0 && (rows[this.head] ?? 0) < ring.first) {
      this.head = (this.head + 1) % rows.length;
      this.kept--;
    }
    let row = Math.max(this.cursor, ring.first);
    for (; row < this.end; row++) {
      if (row % SLICE === 0 && expired()) break;
      if (ring.kind(row) !== LOSS) {
        ring.read(row, headers);
        if (!test(headers)) continue;
      }
      rows[(this.head + this.kept) % rows.length] = row;
      this.kept++;
    }
    this.cursor = row;
  }

  private get end(): number {
    return Math.min(this.ring.end, this.limit);
  }

  private restart(): void {
    this.head = this.kept = 0;
    this.cursor = this.ring.first;
  }
}
