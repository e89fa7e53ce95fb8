/** What payloads say of each other: questions and answers, and records of TLS over segments. */

import { u8, u16, u32 } from "../packet/bytes";
import type { Headers } from "../packet/headers";
import type { Flow, Side } from "./flow";
import * as mark from "./marks";
import type { Questions } from "./questions";
import type { Rows } from "./rows";
import type { Segment } from "./sequence";

const DNS_PORT = 53;
const NTP_PORT = 123;
/** What speaks behind the ports of UDP, of which no more is asked here. */
const UDP_PORTS: Readonly<Record<number, string>> = {
  67: "DHCP",
  68: "DHCP",
  137: "NBNS",
  443: "QUIC",
  546: "DHCPv6",
  547: "DHCPv6",
  1900: "SSDP",
  5353: "mDNS",
  5355: "LLMNR",
};
const AGAIN = mark.RETRANSMISSION | mark.FAST | mark.SPURIOUS | mark.OUT_OF_ORDER;
/** The longest record of TLS, and a little more, as RFC 8446, section 5.2, allows. */
const MAX_RECORD = 16_384 + 2048;
const METHODS = "GET POST PUT HEAD DELETE OPTIONS PATCH CONNECT TRACE".split(" ");

export class Payloads {
  constructor(
    private readonly rows: Rows,
    private readonly questions: Questions,
  ) {}

  /** Look at the data of a segment, from `start` to `stop`; return its marks. */
  addSegment(
    row: number,
    slot: number,
    flow: Flow,
    side: Side,
    segment: Segment,
    bytes: Uint8Array,
    start: number,
    stop: number,
    marks: number,
  ): number {
    if (flow.application === "TLS" || isRecord(bytes, start, stop)) {
      flow.application = "TLS";
      // Wireshark leaves alone what comes late, and calls what comes behind a hole TLS.
      if ((marks & (mark.OUT_OF_ORDER | mark.SPURIOUS | mark.RETRANSMISSION)) !== 0) return 0;
      if ((marks & mark.LOST_SEGMENT) !== 0) side.hasRecord = false;
      return readRecords(side, segment, bytes, start, stop) ? mark.TLS : 0;
    }
    if ((marks & AGAIN) !== 0) return 0;
    if (flow.lowPort === DNS_PORT || flow.highPort === DNS_PORT) {
      if (stop - start < 14 || u16(bytes, start) !== stop - start - 2) return 0;
      return this.addDns(row, slot, flow, bytes, start + 2);
    }
    const status = statusOf(bytes, start, stop);
    if (status !== null) {
      flow.application = "HTTP";
      // What comes before the final answer is none.
      if (status >= 100 && status < 200 && status !== 101) return 0;
      return this.answer(row, slot, flow, flow.responses++, mark.HTTP);
    }
    if (isRequest(bytes, start, stop)) {
      flow.application = "HTTP";
      this.ask(flow, flow.requests++, row);
      return mark.HTTP << mark.KIND_SHIFT;
    }
    return 0;
  }

  /** Look at a UDP datagram that ends at `stop`; return its marks. */
  addDatagram(row: number, slot: number, flow: Flow, h: Headers, stop: number): number {
    const { bytes, upper, sourcePort, destinationPort } = h;
    const start = upper + 8;
    const isOf = (port: number) => sourcePort === port || destinationPort === port;
    if (isOf(DNS_PORT) && stop - start >= 12) return this.addDns(row, slot, flow, bytes, start);
    if (isOf(NTP_PORT) && stop - start >= 48) {
      flow.application = "NTP";
      const mode = u8(bytes, start) & 7;
      if (mode === 3 || mode === 1) {
        this.ask(flow, stampAt(bytes, start + 40), row);
        return mark.NTP << mark.KIND_SHIFT;
      }
      if (mode === 4 || mode === 2)
        return this.answer(row, slot, flow, stampAt(bytes, start + 24), mark.NTP);
    }
    flow.application ||= UDP_PORTS[destinationPort] ?? UDP_PORTS[sourcePort] ?? "";
    return 0;
  }

  /** Look at an ICMP message; return its marks. */
  addEcho(row: number, slot: number, flow: Flow, h: Headers): number {
    const { bytes, upper, stop } = h;
    if (stop - upper < 8) return 0;
    const type = u8(bytes, upper);
    const six = h.protocol === 58;
    if (!six && h.protocol !== 1) return 0;
    const isQuestion = type === (six ? 128 : 8);
    if (!isQuestion && type !== (six ? 129 : 0)) return 0;
    const key = u32(bytes, upper + 4);
    if (!isQuestion) return this.answer(row, slot, flow, key, mark.ECHO);
    this.ask(flow, key, row);
    return mark.ECHO << mark.KIND_SHIFT;
  }

  private addDns(row: number, slot: number, flow: Flow, bytes: Uint8Array, start: number): number {
    flow.application = "DNS";
    const { questions } = this;
    const id = u16(bytes, start);
    const kind = mark.DNS << mark.KIND_SHIFT;
    if ((u8(bytes, start + 2) & 0x80) !== 0) return this.answer(row, slot, flow, id, mark.DNS);
    if (questions.find(flow.id, id) && (questions.answers[questions.at] ?? -1) < 0) {
      this.rows.partners[slot] = row - (questions.rows[questions.at] ?? row);
      return kind | mark.REPEATED;
    }
    this.ask(flow, id, row);
    return kind;
  }

  private ask(flow: Flow, key: number, row: number): void {
    this.questions.put(flow.id, key, row);
  }

  /** Join an answer with its question; one that came before already leads to the first answer. */
  private answer(row: number, slot: number, flow: Flow, key: number, kind: number): number {
    const { rows, questions } = this;
    const marks = kind << mark.KIND_SHIFT;
    if (!questions.find(flow.id, key)) return marks;
    const { at } = questions;
    const asked = questions.rows[at] ?? row;
    const before = questions.answers[at] ?? -1;
    if (before >= 0) {
      if (kind !== mark.DNS) return marks;
      rows.partners[slot] = row - before;
      return marks | mark.REPEATED | mark.ANSWER;
    }
    questions.answers[at] = row;
    rows.partners[slot] = row - asked;
    if (rows.has(asked)) {
      const question = rows.slot(asked);
      rows.partners[question] = row - asked;
      rows.marks[question] = (rows.marks[question] ?? 0) | mark.QUESTION;
      if (kind !== mark.HTTP || Number.isNaN(flow.rtt)) {
        flow.rtt = (rows.times[slot] ?? 0) - (rows.times[question] ?? 0);
      }
    }
    return marks | mark.ANSWER;
  }
}

function isRecord(bytes: Uint8Array, start: number, stop: number): boolean {
  const type = u8(bytes, start);
  return (
    stop - start >= 5 &&
    type >= 20 &&
    type <= 23 &&
    u8(bytes, start + 1) === 3 &&
    u8(bytes, start + 2) <= 4 &&
    u16(bytes, start + 3) <= MAX_RECORD
  );
}

/**
 * Follow the records that a segment has a part of; return whether one begins or ends in it, which is
 * where Wireshark sees TLS: it calls what lies inside a record a part of something longer.
 */
function readRecords(
  side: Side,
  { sequence, length }: Segment,
  bytes: Uint8Array,
  start: number,
  stop: number,
): boolean {
  const end = (sequence + length) | 0;
  let at = sequence;
  if (side.hasRecord && ((side.record - sequence) | 0) >= 0) {
    if (((side.record - end) | 0) > 0) return false;
    at = side.record;
  } else if (side.hasRecord) return false;
  while (((end - at) | 0) > 0) {
    const position = start + ((at - sequence) | 0);
    // The rest of a header may be in the next segment, which begins anew if that is a record.
    side.hasRecord = isRecord(bytes, position, stop);
    if (!side.hasRecord) return true;
    at = (at + 5 + u16(bytes, position + 3)) | 0;
  }
  side.record = at;
  side.hasRecord = true;
  return true;
}

function isRequest(bytes: Uint8Array, start: number, stop: number): boolean {
  const first = u8(bytes, start);
  if (first < 0x43 || first > 0x54) return false;
  return METHODS.some((method) => {
    if (start + method.length >= stop || u8(bytes, start + method.length) !== 0x20) return false;
    for (let i = 0; i < method.length; i++) {
      if (u8(bytes, start + i) !== method.charCodeAt(i)) return false;
    }
    return true;
  });
}

/** Return the status of an answer of HTTP/1; null for anything else. */
function statusOf(bytes: Uint8Array, start: number, stop: number): number | null {
  if (stop - start < 12 || u32(bytes, start) !== 0x48545450 || u8(bytes, start + 4) !== 0x2f)
    return null;
  const digit = (at: number) => u8(bytes, start + at) - 0x30;
  return 100 * digit(9) + 10 * digit(10) + digit(11);
}

/** The number that stands for a timestamp of NTP. */
function stampAt(bytes: Uint8Array, at: number): number {
  return (u32(bytes, at) ^ u32(bytes, at + 4)) >>> 0;
}
