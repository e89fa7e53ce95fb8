/** Packets for the tests of the analysis, with what matters of them and nothing else. */

import { Analysis } from "../../src/analysis/analysis";
import type { Field } from "../../src/packet/dissection";
import { Headers } from "../../src/packet/headers";

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

export const HOST = "10.0.0.1";
export const PEER = "10.0.0.2";

export function ipv4(from: string, to: string, protocol: number, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(20 + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  view.setUint16(2, packet.length);
  packet[8] = 64;
  packet[9] = protocol;
  packet.set(from.split(".").map(Number), 12);
  packet.set(to.split(".").map(Number), 16);
  packet.set(payload, 20);
  return packet;
}

export function udp(from: number, to: number, data: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(8 + data.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, from);
  view.setUint16(2, to);
  view.setUint16(4, datagram.length);
  datagram.set(data, 8);
  return datagram;
}

export interface Segment {
  readonly seq?: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly data?: string | Uint8Array;
}

export function tcp(from: number, to: number, segment: Segment): Uint8Array {
  const { seq = 0, ack = 0, flags = ACK, window = 1000, data = "" } = segment;
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const made = new Uint8Array(20 + bytes.length);
  const view = new DataView(made.buffer);
  view.setUint16(0, from);
  view.setUint16(2, to);
  view.setUint32(4, seq);
  view.setUint32(8, ack);
  made[12] = 0x50;
  made[13] = flags;
  view.setUint16(14, window);
  made.set(bytes, 20);
  return made;
}

/** An analysis with a clock: each packet comes a millisecond after the one before. */
export class Wire {
  readonly analysis: Analysis;
  row = 0;
  timeNs = 1_700_000_000_000_000_000n;
  private readonly headers = new Headers();

  constructor(conversations = 100, rows = 1024) {
    this.analysis = new Analysis({ rows, conversations });
  }

  /** Add a packet, of which `captured` bytes are there; return its row. */
  add(packet: Uint8Array, { injected = false, captured = packet.length } = {}): number {
    const row = this.row++;
    this.timeNs += 1_000_000n;
    this.headers.read(packet, 0, captured, packet.length, injected);
    this.analysis.add(row, this.headers, this.timeNs);
    return row;
  }

  /** A segment from the host's port 1000 to the peer's port 80. */
  out(segment: Segment): number {
    return this.add(ipv4(HOST, PEER, 6, tcp(1000, 80, segment)));
  }

  /** A segment back. */
  back(segment: Segment): number {
    return this.add(ipv4(PEER, HOST, 6, tcp(80, 1000, segment)), { injected: true });
  }

  /** Open the connection; the next bytes have the numbers 101 and 501. */
  shake(): void {
    this.out({ seq: 100, flags: SYN });
    this.back({ seq: 500, ack: 101, flags: SYN | ACK });
    this.out({ seq: 101, ack: 501 });
  }

  /** What is known of a row, by the names of the fields. */
  told(row: number): Record<string, unknown> {
    const told: Record<string, unknown> = {};
    const tell = (fields: readonly Field[]): void => {
      for (const field of fields) {
        told[field.name] = field.value;
        tell(field.fields);
      }
    };
    tell(this.analysis.fieldsOf(row));
    return told;
  }
}
