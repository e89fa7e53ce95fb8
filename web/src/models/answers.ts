/** What comes back for what was composed and sent: how many packets, and how soon the last one. */

import { signal } from "@preact/signals";
import { Headers } from "../packet/headers";
import { INJECTED, type PacketRing, RECEIVED } from "./packet-ring";

export interface Answers {
  readonly count: number;
  /** The row of the last one. */
  readonly row: number;
  /** Milliseconds since the packet that it answers; null where that is not known. */
  readonly delay: number | null;
}

interface Ends {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** Echo requests whose replies are awaited; of more, the oldest have no delay. */
const AWAITED = 4096;
const ICMP = 1;
const ICMPV6 = 58;
const NONE: Answers = { count: 0, row: -1, delay: null };

export class AnswersModel {
  /** Null before anything was sent. */
  readonly found = signal<Answers | null>(null);
  private sent: Ends | null = null;
  private ring: PacketRing | null = null;
  private next = 0;
  /** When the packets that have not been answered were injected, by what an answer repeats. */
  private readonly times = new Map<number, bigint>();
  private readonly headers = new Headers();

  /** Begin to count what answers this packet, in what comes from now on. */
  await(packet: Uint8Array, ring: PacketRing): void {
    this.headers.read(packet, 0, packet.length, packet.length, true);
    this.sent = endsOf(this.headers);
    this.ring = ring;
    this.next = ring.end;
    this.times.clear();
    this.found.value = NONE;
  }

  /** Look at what has come; with another ring than before the counting ends. */
  look(ring: PacketRing): void {
    const { sent, headers } = this;
    if (sent === null || this.found.peek() === null) return;
    if (ring !== this.ring) {
      this.sent = null;
      return;
    }
    let { count, row: last, delay } = this.found.peek() ?? NONE;
    const before = count;
    for (let row = Math.max(this.next, ring.first); row < ring.end; row++) {
      const kind = ring.kind(row);
      if (kind !== INJECTED && kind !== RECEIVED) continue;
      const bytes = ring.packet(row);
      headers.read(bytes, 0, bytes.length, ring.originalLength(row), kind === INJECTED);
      const ends = endsOf(headers);
      const key = keyOf(headers);
      if (kind === INJECTED) {
        if (isSame(ends, sent)) this.remember(key, ring.timeNs(row));
      } else if (isSame(ends, turned(sent))) {
        const at = this.times.get(key);
        // The host may ping the same address by itself.
        if (at === undefined && key !== 0) continue;
        count++;
        last = row;
        delay = at === undefined ? null : Number(ring.timeNs(row) - at) / 1e6;
      }
    }
    this.next = ring.end;
    if (count !== before) this.found.value = { count, row: last, delay };
  }

  private remember(key: number, timeNs: bigint): void {
    this.times.set(key, timeNs);
    if (this.times.size <= AWAITED) return;
    const [oldest] = this.times.keys();
    if (oldest !== undefined) this.times.delete(oldest);
  }
}

function endsOf(headers: Headers): Ends {
  const { bytes, ip, version, protocol, sourcePort, destinationPort } = headers;
  const [at, length] = version === 6 ? [ip + 8, 16] : [ip + 12, 4];
  return {
    source: bytes.subarray(at, at + length).join(),
    destination: bytes.subarray(at + length, at + 2 * length).join(),
    protocol,
    sourcePort,
    destinationPort,
  };
}

function turned({ source, destination, sourcePort, destinationPort, protocol }: Ends): Ends {
  return {
    source: destination,
    destination: source,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
    protocol,
  };
}

function isSame(a: Ends, b: Ends): boolean {
  return (
    a.source === b.source &&
    a.destination === b.destination &&
    a.protocol === b.protocol &&
    a.sourcePort === b.sourcePort &&
    a.destinationPort === b.destinationPort
  );
}

/** Return what an echo reply repeats of its request; of others all are alike. */
function keyOf({ bytes, protocol, upper }: Headers): number {
  if ((protocol !== ICMP && protocol !== ICMPV6) || upper < 0) return 0;
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(upper + 4, upper + 8);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
