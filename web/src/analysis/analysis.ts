/**
 * What packets say of each other: conversations, TCP sequence analysis, questions and answers.
 *
 * Every packet is added once, in order. It costs no allocation but for a new conversation. Rows,
 * conversations, waiting segments and questions are all bounded, and `lost` counts what had to go.
 */

import { u8, u16, u32 } from "../packet/bytes";
import type { Field } from "../packet/dissection";
import { Headers } from "../packet/headers";
import type { Conversation, Followed, How } from "./conversation";
import { type Flow, Side } from "./flow";
import { FlowTable } from "./flow-table";
import { follow } from "./follow";
import * as mark from "./marks";
import { notesOf, prefixOf } from "./notes";
import { Payloads } from "./payloads";
import { Questions } from "./questions";
import { recordOf } from "./record";
import { Rows } from "./rows";
import { Segments } from "./segments";
import { ACK, analyse, FIN, RST, readOptions, Segment, SYN } from "./sequence";
import { describe } from "./state";

const EMPTY = new Uint8Array();
const TCP = 6;
const UDP = 17;
/** The types of ICMP that carry a part of the packet that they are about. */
const ERRORS = [3, 4, 5, 11, 12];
/** First fragments whose ports are remembered for the later ones. */
const FRAGMENTS = 256;

export interface Bounds {
  /** Rows, rounded up to a power of two; the ring of packets should hold no more. */
  readonly rows: number;
  readonly conversations: number;
}

/** What could not be kept or seen. */
export interface Lost {
  /** Conversations that made room for newer ones. */
  readonly conversations: number;
  /** Segments that were not remembered until their acknowledgement. */
  readonly segments: number;
  /** Questions that were not remembered until their answer. */
  readonly questions: number;
  /** Packets that were lost before they came here, as `lose` was told. */
  readonly packets: number;
}

export const DEFAULT_BOUNDS: Bounds = { rows: 65_536, conversations: 16_384 };

export class Analysis {
  /** The row that has the number 1 in the table. */
  base = 0;
  /** Goes up with every packet. */
  version = 0;
  readonly rows: Rows;
  private readonly table: FlowTable;
  private readonly segments = new Segments();
  private readonly questions = new Questions();
  private readonly payloads: Payloads;
  private readonly segment = new Segment();
  private readonly quoted = new Headers();
  private readonly streams = [0, 0];
  private readonly fragments = new Float64Array(FRAGMENTS);
  private readonly fragmentPorts = new Int32Array(FRAGMENTS);
  private epoch: bigint | null = null;
  private packetsLost = 0;

  constructor(bounds: Bounds = DEFAULT_BOUNDS) {
    this.rows = new Rows(2 ** Math.ceil(Math.log2(Math.max(2, bounds.rows))));
    this.table = new FlowTable(bounds.conversations);
    this.payloads = new Payloads(this.rows, this.questions);
  }

  get lost(): Lost {
    return {
      conversations: this.table.evicted,
      segments: this.segments.leftOut,
      questions: this.questions.evicted,
      packets: this.packetsLost,
    };
  }

  /** Conversations that are kept. */
  get size(): number {
    return this.table.size;
  }

  /** Say that packets are missing before the next one. */
  lose(count: number): void {
    this.packetsLost += count;
  }

  /** Look at the packet of a row, which comes after every other row. */
  add(row: number, h: Headers, timeNs: bigint): void {
    this.version++;
    this.epoch ??= timeNs;
    const { rows } = this;
    const slot = rows.open(row);
    const time = Number(timeNs - this.epoch);
    rows.times[slot] = time;
    rows.flows[slot] = null;
    rows.messages[slot] = EMPTY;
    if (h.version === 0 || h.protocol < 0) return;
    rows.messages[slot] = h.bytes;
    rows.starts[slot] = h.start;
    let marks = (h.injected ? 0 : mark.FROM_HOST) | (hasStream(h) ? mark.STREAM : 0);
    if (h.protocol === TCP && h.upper >= 0) {
      marks |= this.addSegment(row, slot, h);
    } else {
      const about = h.protocol === 1 || h.protocol === 58 ? this.quotedStream(slot, h) : 0;
      marks |= about;
      const flow = this.flowOf(row, slot, h);
      if (flow.lastRow === row && this.isBackward(flow)) marks |= mark.BACKWARD;
      if (h.upper >= 0 && !h.fragment && about === 0) marks |= this.addDatagram(row, slot, h, flow);
    }
    rows.marks[slot] = marks;
  }

  /** What is known of a row beyond its own bytes, as fields with Wireshark's names. */
  fieldsOf(row: number): readonly Field[] {
    return this.rows.has(row) ? notesOf(this.rows, row, this.base) : [];
  }

  /** What Wireshark writes before the info of a row: `[TCP Retransmission] `. */
  prefixOf(row: number): string {
    return this.rows.has(row) ? prefixOf(this.rows, row, this.base) : "";
  }

  /** The record of TLS or the head of HTTP that ends in a row and began in an earlier one. */
  recordOf(row: number, protocol?: string): readonly Field[] {
    const record = this.rows.has(row) ? recordOf(this.rows, row, protocol) : null;
    return record === null ? [] : [record];
  }

  /** Bytes that a segment goes on with an earlier one, as `decode` has it. */
  beginsOf(row: number): number {
    return this.rows.has(row) ? (this.rows.begins[this.rows.slot(row)] ?? 0) : 0;
  }

  /** The conversation of a row; 0 without one. */
  conversationOf(row: number): number {
    return this.rows.has(row) ? (this.rows.flows[this.rows.slot(row)]?.id ?? 0) : 0;
  }

  /** Forget the rows before this one; conversations stay. */
  drop(first: number): void {
    this.rows.drop(first);
  }

  /** Forget everything but what was lost; conversations are never given a number twice. */
  clear(): void {
    this.rows.drop(this.rows.end);
    for (const flow of this.table.recent(0)) this.forget(flow);
    this.table.clear();
    this.questions.clear();
    this.streams.fill(0);
    this.fragments.fill(0);
    this.base = this.rows.end;
  }

  /**
   * The conversations with a packet since `version` was this, those touched last at the end.
   *
   * Whoever keeps them by their id, moves the touched ones to the end, and drops the first where
   * there are too many, has the same ones as are kept here.
   */
  conversations(since = 0): readonly Conversation[] {
    const found: Conversation[] = [];
    const epoch = this.epoch ?? 0n;
    for (const flow of this.table.recent(since)) found.push(describe(flow, epoch));
    return found.reverse();
  }

  /** Put a conversation together again from the rows that are kept; null for one that is not. */
  follow(id: number, how: How): Followed | null {
    for (const flow of this.table.recent(0)) {
      if (flow.id === id) return follow(this.rows, flow, how, this.epoch ?? 0n);
    }
    return null;
  }

  private forget(flow: Flow): void {
    for (const side of flow.sides ?? []) this.segments.release(side);
  }

  private isBackward(flow: Flow): boolean {
    return (this.table.isLow ? 0 : 1) !== flow.opener;
  }

  /** Find or make the conversation of a packet, and count the packet. */
  private flowOf(row: number, slot: number, h: Headers): Flow {
    const { table } = this;
    let { sourcePort, destinationPort } = h;
    if (h.fragment && h.version === 4) {
      const key = u32(h.bytes, h.ip + 12) ^ u32(h.bytes, h.ip + 16) ^ u16(h.bytes, h.ip + 4);
      const at = (key ^ (key >>> 8)) & (FRAGMENTS - 1);
      if (sourcePort >= 0) {
        this.fragments[at] = key + 1;
        this.fragmentPorts[at] = (sourcePort << 16) | destinationPort;
      } else if (this.fragments[at] === key + 1) {
        const ports = this.fragmentPorts[at] ?? 0;
        sourcePort = ports >>> 16;
        destinationPort = ports & 0xffff;
      }
    }
    const flow = table.find(h, sourcePort, destinationPort) ?? this.open(h);
    if (h.fragment) flow.fragments++;
    return this.count(row, slot, h, flow);
  }

  /** Find the stream that an ICMP error is about; one that is not known is not made. */
  private quotedStream(slot: number, h: Headers): number {
    const { bytes, upper, stop } = h;
    if (upper < 0 || upper + 8 > stop) return 0;
    const type = u8(bytes, upper);
    const isError = h.protocol === 58 ? type > 0 && type < 5 : ERRORS.includes(type);
    if (!isError) return 0;
    const { quoted } = this;
    quoted.read(bytes, upper + 8, stop, stop - upper - 8, h.injected);
    if (quoted.sourcePort < 0) return 0;
    const flow = this.table.find(quoted, quoted.sourcePort, quoted.destinationPort);
    if (flow === null || flow.stream < 0) return 0;
    this.rows.partners[slot] = flow.stream;
    return flow.protocol === TCP ? mark.ABOUT_TCP : mark.ABOUT_UDP;
  }

  /** Make the conversation that was just looked for. */
  private open(h: Headers): Flow {
    const { table } = this;
    const evicted = table.size === table.capacity ? table.eldest : undefined;
    if (evicted !== undefined) this.forget(evicted);
    const flow = table.make(h);
    flow.opener = table.isLow ? 0 : 1;
    if (h.protocol === TCP) flow.sides = [new Side(), new Side()];
    return flow;
  }

  private count(row: number, slot: number, h: Headers, flow: Flow): Flow {
    const { rows } = this;
    const time = rows.times[slot] ?? 0;
    if (flow.stream < 0 && hasStream(h)) {
      const index = h.protocol === TCP ? 0 : 1;
      flow.stream = this.streams[index] ?? 0;
      this.streams[index] = flow.stream + 1;
    }
    rows.flows[slot] = flow;
    if (flow.lastRow < 0) {
      flow.firstRow = row;
      flow.start = time;
      flow.fromHost = !h.injected;
    } else rows.previous[slot] = row - flow.lastRow;
    flow.lastRow = row;
    flow.end = time;
    flow.touched = this.version;
    this.table.touch();
    const index = (this.isBackward(flow) ? 1 : 0) + (h.injected ? 2 : 0);
    flow.packets[index] = (flow.packets[index] ?? 0) + 1;
    flow.bytes[index] = (flow.bytes[index] ?? 0) + h.originalLength;
    return flow;
  }

  private addSegment(row: number, slot: number, h: Headers): number {
    const { bytes, upper, stop } = h;
    const { rows, table, segment } = this;
    const header = (u8(bytes, upper + 12) >> 4) * 4;
    const length = reportedEnd(h) - upper - header;
    if (upper + 20 > stop || header < 20 || length < 0 || h.fragment) {
      this.flowOf(row, slot, h);
      return 0;
    }
    const flags = u8(bytes, upper + 13);
    const sequence = u32(bytes, upper + 4) | 0;
    const acknowledgement = u32(bytes, upper + 8) | 0;
    let found = table.find(h, h.sourcePort, h.destinationPort);
    let marks = 0;
    if (found !== null && (flags & (SYN | ACK)) === SYN) {
      const side = found.sides?.[table.isLow ? 0 : 1];
      if (side?.hasBase && side.base !== sequence) {
        found = null;
        marks = mark.REUSED_PORTS;
      }
    }
    const isNew = found === null;
    const flow = found ?? this.open(h);
    const index = table.isLow ? 0 : 1;
    if (isNew && (flags & (SYN | ACK)) === (SYN | ACK)) flow.opener = 1 - index;
    this.count(row, slot, h, flow);
    const sides = flow.sides;
    if (sides === null) return marks;
    const from = sides[index] as Side;
    const to = sides[1 - index] as Side;
    if (this.isBackward(flow)) marks |= mark.BACKWARD;

    const time = rows.times[slot] ?? 0;
    if ((flags & SYN) !== 0) {
      if ((flags & ACK) === 0) flow.synTime = time;
      else if (from.hasBase && from.base !== sequence) {
        from.hasBase = false;
        marks |= mark.REUSED_PORTS;
      }
    }
    const isKnown = from.hasBase;
    if (!isKnown) {
      from.base = (flags & SYN) !== 0 ? sequence : (sequence - 1) | 0;
      from.hasBase = true;
    }
    if (!to.hasBase && (flags & ACK) !== 0) {
      to.base = (acknowledgement - 1) | 0;
      to.hasBase = true;
    }
    const isAck = (flags & (SYN | ACK)) === ACK;
    if (isAck && Number.isNaN(flow.initialRtt) && !Number.isNaN(flow.synTime)) {
      flow.initialRtt = time - flow.synTime;
      if ((flow.completeness & 2) !== 0) flow.rtt = flow.initialRtt;
    }

    segment.sequence = sequence;
    segment.acknowledgement = acknowledgement;
    segment.flags = flags;
    segment.window = u16(bytes, upper + 14);
    segment.length = length;
    rows.uppers[slot] = upper - h.start;
    rows.payloads[slot] = upper + header - h.start;
    rows.lengths[slot] = length;
    const payload = Math.min(upper + header, stop);
    rows.captured[slot] = Math.min(length, stop - payload);
    marks |= mark.SEGMENT | analyse(rows, this.segments, row, flow, from, to, segment);
    const isSyn = (flags & SYN) !== 0;
    readOptions(bytes, upper + 20, payload, from, isSyn);
    from.isFirstWindow = isSyn;
    if (isSyn) from.hasSyn = true;
    if ((flags & FIN) !== 0) from.hasFin = true;
    if (marks & (mark.RETRANSMISSION | mark.FAST | mark.SPURIOUS)) flow.retransmissions++;
    flow.completeness |= stepOf(flags, isKnown ? length : 0);
    if (length > 0 && stop > payload) {
      this.payloads.name("tcp", flow, h, payload, stop);
      marks |= this.payloads.addSegment(
        row,
        slot,
        flow,
        from,
        segment,
        bytes,
        payload,
        stop,
        marks,
      );
    }
    return marks;
  }

  private addDatagram(row: number, slot: number, h: Headers, flow: Flow): number {
    const { rows } = this;
    rows.uppers[slot] = h.upper - h.start;
    if (h.protocol === UDP) {
      const size = u16(h.bytes, h.upper + 4);
      const stop = size < 8 ? h.stop : Math.min(h.stop, h.upper + size);
      rows.payloads[slot] = h.upper + 8 - h.start;
      rows.captured[slot] = Math.max(0, stop - h.upper - 8);
      rows.lengths[slot] = Math.max(
        0,
        Math.min(reportedEnd(h), h.upper + (size || 65_535)) - h.upper - 8,
      );
      // What lies behind a wrong length may be anything.
      const isWrong = size !== 0 && (size < 8 || h.upper + size > reportedEnd(h));
      return isWrong ? 0 : this.payloads.addDatagram(row, slot, flow, h, stop);
    }
    return this.payloads.addEcho(row, slot, flow, h);
  }
}

/** Say whether as much of a header is there as Wireshark needs to tell the stream. */
function hasStream({ protocol, bytes, upper, stop, fragment }: Headers): boolean {
  if (upper < 0) return false;
  if (protocol === TCP) return upper + 16 <= stop;
  return protocol === UDP && upper + 8 <= stop && (fragment || isSize(u16(bytes, upper + 4)));
}

/** Say whether it can be the length of a datagram; 0 stands for one that is too long for it. */
function isSize(length: number): boolean {
  return length >= 8 || length === 0;
}

/** Where the packet would end if nothing of it had been cut. */
function reportedEnd(h: Headers): number {
  const whole = h.start + h.originalLength;
  const length = u16(h.bytes, h.ip + (h.version === 4 ? 2 : 4));
  if (length === 0) return whole;
  return Math.min(whole, h.ip + length + (h.version === 4 ? 0 : 40));
}

/** The bits of `tcp.completeness` that a segment adds; data counts where the side is known. */
function stepOf(flags: number, length: number): number {
  let bits = 0;
  if ((flags & (SYN | ACK)) === SYN) bits |= 1;
  if ((flags & (SYN | ACK)) === (SYN | ACK)) bits |= 2;
  if ((flags & (SYN | ACK)) === ACK) bits |= 4;
  if (length > 0) bits |= 8;
  if ((flags & FIN) !== 0) bits |= 16;
  if ((flags & RST) !== 0) bits |= 32;
  return bits;
}
