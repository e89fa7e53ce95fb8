/** Counts packets by protocol, as the table and the filters tell them apart. */

import type { Analysis } from "../analysis/analysis";
import { TLS } from "../analysis/marks";
import type { Headers } from "../packet/headers";
import { application } from "../packet/sniff";
import { type Counts, KINDS } from "./messages";

/** Seconds that are counted before they are told. */
const HELD = 16;

/** Counts packets and bytes of each kind, a second at a time. */
export class Kinds {
  private readonly counts = new Map<number, { packets: number[]; bytes: number[] }>();

  constructor(private readonly analysis: Analysis) {}

  /** Count the packet of a row that the analysis has seen. */
  add(row: number, h: Headers, second: number): void {
    let one = this.counts.get(second);
    if (one === undefined) {
      // A clock that jumps must not let this grow.
      if (this.counts.size >= HELD) return;
      one = { packets: KINDS.map(() => 0), bytes: KINDS.map(() => 0) };
      this.counts.set(second, one);
    }
    const kind = this.kindOf(row, h);
    one.packets[kind] = (one.packets[kind] ?? 0) + 1;
    one.bytes[kind] = (one.bytes[kind] ?? 0) + h.originalLength;
  }

  /** Return what was counted since the last time. */
  take(): Counts[] {
    const counts = [...this.counts].map(([second, one]) => ({ second, ...one }));
    this.counts.clear();
    return counts;
  }

  /** The place in `KINDS`: what the decoder shows, and the filters find. */
  private kindOf(row: number, h: Headers): number {
    switch (h.protocol) {
      case 6: {
        if (h.upper < 0) return 2;
        const { rows } = this.analysis;
        const slot = rows.slot(row);
        // A segment that continues a record does not look like one.
        if (((rows.marks[slot] ?? 0) & TLS) !== 0) return 0;
        const start = h.start + (rows.payloads[slot] ?? 0);
        const end = start + (rows.captured[slot] ?? 0);
        return kindOf("tcp", h, Math.min(end, start + (rows.begins[slot] ?? 0)), end);
      }
      case 17:
        return h.upper < 0 ? 5 : kindOf("udp", h, h.upper + 8, h.stop);
      case 1:
        return 6;
      case 58:
        return 7;
      default:
        return 8;
    }
  }
}

const APPLICATIONS: Readonly<Record<string, number>> = { tls: 0, http: 1, quic: 3, dns: 4 };

function kindOf(transport: "tcp" | "udp", h: Headers, start: number, end: number): number {
  const { bytes, sourcePort, destinationPort } = h;
  const name = application(transport, sourcePort, destinationPort, bytes, start, end);
  return APPLICATIONS[name] ?? (transport === "tcp" ? 2 : 5);
}
