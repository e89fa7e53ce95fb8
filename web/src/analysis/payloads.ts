/** What payloads say of each other: questions and answers, and records of TLS over segments. */

import { u8, u16, u32 } from "../packet/bytes";
import type { Headers } from "../packet/headers";
import { HttpFraming, statusOf } from "../packet/http-framing";
import { application, isHttp, protocolOf } from "../packet/sniff";
import type { Flow, Side } from "./flow";
import * as mark from "./marks";
import type { Questions } from "./questions";
import { NONE_BEGINS, type Rows } from "./rows";
import type { Segment } from "./sequence";

const DNS_PORT = 53;
const NTP_PORT = 123;
/** Packets of a conversation that are asked what it speaks. */
const MAX_ASKED = 16;
const AGAIN = mark.RETRANSMISSION | mark.FAST | mark.SPURIOUS | mark.OUT_OF_ORDER;
/** The longest record of TLS, and a little more, as RFC 8446, section 5.2, allows. */
const MAX_RECORD = 16_384 + 2048;
const CONNECT = "CONNECT ";
const SPECIAL = ["HEAD ", CONNECT];
/** Requests of a conversation that are remembered for what their answers are like. */
const MAX_SPECIAL = 64;

export class Payloads {
  constructor(
    private readonly rows: Rows,
    private readonly questions: Questions,
  ) {}

  /** Give a conversation the name that the table of packets has for what it carries. */
  name(transport: "tcp" | "udp", flow: Flow, h: Headers, start: number, stop: number): void {
    if (flow.application !== "" || flow.asked >= MAX_ASKED || start >= stop) return;
    flow.asked++;
    const { bytes, sourcePort, destinationPort } = h;
    const layer = application(transport, sourcePort, destinationPort, bytes, start, stop);
    flow.application = protocolOf(layer, bytes, start, stop);
  }

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
      if ((marks & mark.LOST_SEGMENT) !== 0) {
        side.hasRecord = false;
        side.headerSize = 0;
      }
      return readRecords(this.rows, slot, side, segment, bytes, start, stop) ? mark.TLS : 0;
    }
    if ((marks & AGAIN) !== 0) return 0;
    if (flow.lowPort === DNS_PORT || flow.highPort === DNS_PORT) {
      if (stop - start < 14 || u16(bytes, start) !== stop - start - 2) return 0;
      return this.addDns(row, slot, flow, bytes, start + 2);
    }
    if (side.framing === null && !isHttp(bytes, start, stop)) return 0;
    return this.addMessages(row, slot, flow, side, segment, bytes, start, stop);
  }

  /** Follow the messages of HTTP that a segment has a part of. */
  private addMessages(
    row: number,
    slot: number,
    flow: Flow,
    side: Side,
    { sequence, length }: Segment,
    bytes: Uint8Array,
    start: number,
    stop: number,
  ): number {
    if (side.framing === null) {
      side.framing = new HttpFraming();
      side.read = sequence;
    }
    const { framing } = side;
    const missing = (sequence - side.read) | 0;
    if (missing === 0 && length < framing.room) {
      framing.skip(length);
      side.read = (sequence + length) | 0;
      this.rows.begins[slot] = NONE_BEGINS;
      return 0;
    }
    // What was read before is not read again.
    const from = start + Math.max(0, -missing);
    if (from >= stop) return 0;
    if (missing > 0) framing.skip(missing);
    let first = framing.isInside ? NONE_BEGINS : 0;
    let marks = 0;
    framing.read(bytes, from, stop, {
      onHead: (at) => this.rows.close(slot, (sequence - side.recordStart) | 0, at - start),
      onMessage: (at, text) => {
        flow.application = "HTTP";
        side.recordStart = (sequence + at - start) | 0;
        if (first === NONE_BEGINS && at >= start) first = at - start;
        const status = statusOf(text);
        if (status === null) {
          marks |= mark.HTTP << mark.KIND_SHIFT;
          const method = SPECIAL.find((one) => text.startsWith(one));
          if (method !== undefined) {
            flow.special ??= new Map();
            if (flow.special.size < MAX_SPECIAL) flow.special.set(flow.requests, method);
          }
          this.ask(flow, flow.requests++, row);
          return true;
        }
        // What comes before the final answer is none.
        if (status >= 100 && status < 200 && status !== 101) return true;
        const number = flow.responses++;
        const method = flow.special?.get(number);
        flow.special?.delete(number);
        marks |= this.answer(row, slot, flow, number, mark.HTTP);
        return method === undefined || (method === CONNECT && status >= 300);
      },
    });
    const captured = stop - start;
    if (captured < length) framing.skip(length - captured);
    side.read = (sequence + length) | 0;
    this.rows.begins[slot] = first;
    return marks;
  }

  /** Look at a UDP datagram that ends at `stop`; return its marks. */
  addDatagram(row: number, slot: number, flow: Flow, h: Headers, stop: number): number {
    const { bytes, upper, sourcePort, destinationPort } = h;
    const start = upper + 8;
    const isOf = (port: number) => sourcePort === port || destinationPort === port;
    this.name("udp", flow, h, start, stop);
    if (isOf(DNS_PORT) && stop - start >= 12) return this.addDns(row, slot, flow, bytes, start);
    if (isOf(NTP_PORT) && stop - start >= 48) {
      const mode = u8(bytes, start) & 7;
      if (mode === 3 || mode === 1) {
        this.ask(flow, stampAt(bytes, start + 40), row);
        return mark.NTP << mark.KIND_SHIFT;
      }
      if (mode === 4 || mode === 2)
        return this.answer(row, slot, flow, stampAt(bytes, start + 24), mark.NTP);
    }
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
    rows.join(row, row - asked);
    if (rows.has(asked)) {
      const question = rows.slot(asked);
      rows.join(asked, row - asked);
      rows.marks[question] = (rows.marks[question] ?? 0) | mark.QUESTION;
      if (kind !== mark.HTTP || Number.isNaN(flow.rtt)) {
        flow.rtt = (rows.times[slot] ?? 0) - (rows.times[question] ?? 0);
      }
    }
    return marks | mark.ANSWER;
  }
}

/** As `isTls`, but of whatever version, which Wireshark calls TLS and shows no record of. */
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
  rows: Rows,
  slot: number,
  side: Side,
  { sequence, length }: Segment,
  bytes: Uint8Array,
  start: number,
  stop: number,
): boolean {
  const end = (sequence + length) | 0;
  const isHeader = side.headerSize > 0;
  if (isHeader) readHeader(side, sequence, bytes, start, stop);
  let at = sequence;
  if (side.hasRecord) {
    const left = (side.record - sequence) | 0;
    if (left < 0) return false;
    rows.begins[slot] = left < length ? left : NONE_BEGINS;
    if (left > length) return isHeader;
    if (left > 0) rows.close(slot, (sequence - side.recordStart) | 0, left);
    at = side.record;
  }
  while (((end - at) | 0) > 0) {
    const position = start + ((at - sequence) | 0);
    side.recordStart = at;
    if (position + 5 > stop) {
      // The rest of a header is in the next segment, unless it was cut from this one.
      side.hasRecord = position < stop && stop - start === length;
      if (side.hasRecord) {
        side.header ??= new Uint8Array(5);
        side.header.set(bytes.subarray(position, stop));
        side.headerSize = stop - position;
      }
      return true;
    }
    side.hasRecord = isRecord(bytes, position, stop);
    if (!side.hasRecord) return true;
    at = (at + 5 + u16(bytes, position + 3)) | 0;
  }
  side.record = at;
  side.hasRecord = true;
  return true;
}

/** Read on in the header of a record that the last segment ended in. */
function readHeader(
  side: Side,
  sequence: number,
  bytes: Uint8Array,
  start: number,
  stop: number,
): void {
  const { headerSize } = side;
  side.header ??= new Uint8Array(5);
  const { header } = side;
  const size = Math.min(stop - start, 5 - headerSize);
  side.hasRecord = sequence === ((side.recordStart + headerSize) | 0);
  side.headerSize = 0;
  if (!side.hasRecord) return;
  header.set(bytes.subarray(start, start + size), headerSize);
  if (headerSize + size < 5) {
    side.headerSize = headerSize + size;
    side.record = (side.recordStart + 5) | 0;
  } else {
    side.hasRecord = isRecord(header, 0, 5);
    side.record = (side.recordStart + 5 + u16(header, 3)) | 0;
  }
}

/** The number that stands for a timestamp of NTP. */
function stampAt(bytes: Uint8Array, at: number): number {
  return (u32(bytes, at) ^ u32(bytes, at + 4)) >>> 0;
}
