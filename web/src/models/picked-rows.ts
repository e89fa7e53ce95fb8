/** The rows that a reader picked: several selected at once, or marked to be found again. */

import { signal } from "@preact/signals";
import { LOSS, type PacketRing } from "./packet-ring";

/** The rows that are shown, in order. */
interface Shown {
  readonly count: number;
  at(index: number): number;
  indexOf(row: number): number;
}

export class PickedRows {
  /** Goes up with every change. */
  readonly version = signal(0);
  /** Of each ring, as long as it is kept. */
  private readonly ofRings = new WeakMap<object, Set<number>>();
  /** Where a range begins. */
  private anchor = -1;

  constructor(private readonly ring: () => PacketRing) {}

  private get rows(): Set<number> {
    const { identity } = this.ring();
    let rows = this.ofRings.get(identity);
    if (rows === undefined) this.ofRings.set(identity, (rows = new Set()));
    return rows;
  }

  has(row: number): boolean {
    return this.rows.has(row);
  }

  /** Rows that are picked and still kept, in order. */
  list(): number[] {
    const ring = this.ring();
    return [...this.rows].filter((row) => ring.has(row)).sort((a, b) => a - b);
  }

  /** Of those that are picked, how many are still kept. */
  get count(): number {
    const ring = this.ring();
    let count = 0;
    for (const row of this.rows) count += Number(ring.has(row));
    return count;
  }

  /** Pick a row, or let it go. */
  toggle(row: number): void {
    if (!this.rows.delete(row)) this.pick(row);
    this.anchor = row;
    this.version.value++;
  }

  /** Pick rows, or let them go. */
  put(rows: readonly number[], isPicked: boolean): void {
    for (const row of rows) {
      if (isPicked) this.pick(row);
      else this.rows.delete(row);
    }
    this.version.value++;
  }

  /** Pick all that is shown from where the last range began to a row, and nothing else. */
  extend(row: number, from: number, shown: Shown): void {
    if (this.anchor < 0 || !this.ring().has(this.anchor)) this.anchor = from;
    const ends = [this.anchor, row].map((one) => shown.indexOf(one)).sort((a, b) => a - b);
    this.pickRange(ends[0] ?? 0, ends[1] ?? 0, shown);
  }

  /** Pick all that is shown. */
  all(shown: Shown): void {
    this.pickRange(0, shown.count - 1, shown);
  }

  /** Show those of another ring, which has taken the place of the one before. */
  turn(): void {
    this.anchor = -1;
    this.version.value++;
  }

  /** Let all go; the next range begins at this row. */
  clear(anchor = -1): void {
    this.anchor = anchor;
    if (this.rows.size === 0) return;
    this.rows.clear();
    this.version.value++;
  }

  private pickRange(first: number, last: number, shown: Shown): void {
    this.rows.clear();
    for (let index = first; index <= last; index++) this.pick(shown.at(index));
    this.version.value++;
  }

  private pick(row: number): void {
    const ring = this.ring();
    if (ring.has(row) && ring.kind(row) !== LOSS) this.rows.add(row);
  }
}
