/** The rows of a ring that pass a filter, in order, as the worker finds them: the newest first. */

import type { PacketRing } from "./packet-ring";

export class FilteredRows {
  /** Rows from this one on are not shown. */
  limit = Number.POSITIVE_INFINITY;
  /** Rows that the worker still has to look at. */
  pending = 0;
  private isFiltered = false;
  private rows: Float64Array;
  private head = 0;
  private kept = 0;

  constructor(private ring: PacketRing) {
    this.rows = new Float64Array(ring.bounds.packets);
  }

  /** Rows that pass, of those looked at so far. */
  get count(): number {
    if (!this.isFiltered) return Math.max(0, Math.min(this.ring.end, this.limit) - this.ring.first);
    this.drop();
    return this.limit === Number.POSITIVE_INFINITY ? this.kept : this.placeOf(this.limit);
  }

  /** Packets that pass, of those looked at so far; losses are rows and no packets. */
  get packets(): number {
    const { count } = this;
    let losses = 0;
    for (const row of this.ring.lossRows) losses += Number(this.at(this.indexOf(row)) === row);
    return count - losses;
  }

  /** Packets behind the limit, which are not shown whether or not they pass. */
  get held(): number {
    const { ring, limit } = this;
    const from = Math.max(limit, ring.first);
    if (from >= ring.end) return 0;
    let held = ring.end - from;
    for (const row of ring.lossRows) held -= Number(row >= from);
    return held;
  }

  /** Packets of which those are shown that pass. */
  get candidates(): number {
    return this.ring.packets - this.held;
  }

  /** The number of the row at a place among those that pass; -1 outside. */
  at(index: number): number {
    if (index < 0 || index >= this.count) return -1;
    return this.isFiltered ? this.row(index) : this.ring.first + index;
  }

  /** The place of a row, or of the first one behind it. */
  indexOf(row: number): number {
    const { count } = this;
    return Math.min(
      this.isFiltered ? this.placeOf(row) : Math.max(row - this.ring.first, 0),
      count,
    );
  }

  /** Begin anew: with nothing that passes, or with every row of the ring. */
  restart(ring: PacketRing, isFiltered: boolean): void {
    this.ring = ring;
    this.isFiltered = isFiltered;
    this.head = this.kept = 0;
    this.pending = isFiltered ? ring.count : 0;
    if (this.rows.length !== ring.bounds.packets) this.rows = new Float64Array(ring.bounds.packets);
  }

  /** Take more rows that pass, in order, with none of those here between them. */
  insert(found: Float64Array): void {
    this.drop();
    const { first } = this.ring;
    const from = found.findIndex((row) => row >= first);
    if (!this.isFiltered || from < 0) return;
    const fresh = found.subarray(from);
    const size = fresh.length;
    const place = this.placeOf(fresh[0] ?? 0);
    // No ring has more rows than there is room for here.
    if (this.kept + size > this.rows.length) return;
    if (place < this.kept / 2) {
      this.head = (this.head - size + this.rows.length) % this.rows.length;
      for (let i = 0; i < place; i++) this.put(i, this.row(i + size));
    } else {
      for (let i = this.kept - 1; i >= place; i--) this.put(i + size, this.row(i));
    }
    for (const [i, row] of fresh.entries()) this.put(place + i, row);
    this.kept += size;
  }

  private row(index: number): number {
    return this.rows[(this.head + index) % this.rows.length] ?? -1;
  }

  private put(index: number, row: number): void {
    this.rows[(this.head + index) % this.rows.length] = row;
  }

  /** Forget the rows that the ring dropped. */
  private drop(): void {
    const { first } = this.ring;
    while (this.kept > 0 && this.row(0) < first) {
      this.head = (this.head + 1) % this.rows.length;
      this.kept--;
    }
  }

  private placeOf(row: number): number {
    let [low, high] = [0, this.kept];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.row(middle) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
