/** Packets and bytes of each protocol over the last hour, of the packets of one adapter that came. */

import { type Counts, KINDS } from "../worker/messages";
import { KEPT } from "./history";

export { KINDS };
export type Kind = (typeof KINDS)[number];

export interface KindTotal {
  readonly kind: Kind;
  readonly packets: number;
  readonly bytes: number;
}

export class KindCounts {
  private readonly packets = new Float64Array(KINDS.length * KEPT);
  private readonly bytes = new Float64Array(KINDS.length * KEPT);
  private newest = 0;

  /** Take what the worker counted. */
  add(counts: readonly Counts[]): void {
    for (const { second, packets, bytes } of counts) {
      this.advance(second);
      if (second <= this.newest - KEPT) continue;
      const base = (second % KEPT) * KINDS.length;
      for (const [kind, one] of packets.entries()) {
        this.packets[base + kind] = (this.packets[base + kind] ?? 0) + one;
        this.bytes[base + kind] = (this.bytes[base + kind] ?? 0) + (bytes[kind] ?? 0);
      }
    }
  }

  /** Return packets and bytes of each kind in the seconds from `from` to `to`. */
  total(from: number, to: number): KindTotal[] {
    const packets = KINDS.map(() => 0);
    const bytes = KINDS.map(() => 0);
    const first = Math.max(from, this.newest - KEPT + 1);
    for (let second = first; second <= Math.min(to, this.newest); second++) {
      const base = (second % KEPT) * KINDS.length;
      for (let kind = 0; kind < KINDS.length; kind++) {
        packets[kind] = (packets[kind] ?? 0) + (this.packets[base + kind] ?? 0);
        bytes[kind] = (bytes[kind] ?? 0) + (this.bytes[base + kind] ?? 0);
      }
    }
    return KINDS.map((kind, index) => ({
      kind,
      packets: packets[index] ?? 0,
      bytes: bytes[index] ?? 0,
    }));
  }

  private advance(second: number): void {
    const first = Math.max(this.newest + 1, second - KEPT + 1);
    for (let each = first; each <= second; each++) {
      const base = (each % KEPT) * KINDS.length;
      this.packets.fill(0, base, base + KINDS.length);
      this.bytes.fill(0, base, base + KINDS.length);
    }
    this.newest = Math.max(this.newest, second);
  }
}

/** A protocol's place in the palette. */
export function kindColor(kind: Kind): string {
  return kind === "ICMPv6" ? "icmp" : kind.toLowerCase();
}
