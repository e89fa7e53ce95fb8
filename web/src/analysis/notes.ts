/** What is known of a row beyond its own bytes, in Wireshark's names. */

import { u16, u32 } from "../packet/bytes";
import { Field, type Value } from "../packet/dissection";
import * as mark from "./marks";
import type { Rows } from "./rows";
import { ACK, FIN, SYN } from "./sequence";

/** Each mark of the TCP analysis: its field, its label, and what the table says before the info. */
const NAMES: readonly (readonly [bit: number, name: string, label: string, prefix: string])[] = [
  [mark.RETRANSMISSION, "retransmission", "Retransmission", "TCP Retransmission"],
  [mark.FAST, "fast_retransmission", "Fast retransmission", "TCP Fast Retransmission"],
  [
    mark.SPURIOUS,
    "spurious_retransmission",
    "Spurious retransmission",
    "TCP Spurious Retransmission",
  ],
  [mark.OUT_OF_ORDER, "out_of_order", "Out of order", "TCP Out-Of-Order"],
  [mark.REUSED_PORTS, "reused_ports", "Ports used again", "TCP Port numbers reused"],
  [
    mark.LOST_SEGMENT,
    "lost_segment",
    "Segment before this one is missing",
    "TCP Previous segment not captured",
  ],
  [
    mark.ACK_LOST_SEGMENT,
    "ack_lost_segment",
    "Acknowledges a segment that is missing",
    "TCP ACKed unseen segment",
  ],
  [mark.KEEP_ALIVE, "keep_alive", "Keep-alive", "TCP Keep-Alive"],
  [mark.KEEP_ALIVE_ACK, "keep_alive_ack", "Answer to a keep-alive", "TCP Keep-Alive ACK"],
  [mark.DUPLICATE_ACK, "duplicate_ack", "Duplicate acknowledgement", "TCP Dup ACK"],
  [mark.ZERO_WINDOW_PROBE, "zero_window_probe", "Probe of a zero window", "TCP ZeroWindowProbe"],
  [mark.ZERO_WINDOW, "zero_window", "Zero window", "TCP ZeroWindow"],
  [
    mark.ZERO_WINDOW_PROBE_ACK,
    "zero_window_probe_ack",
    "Answer to a probe",
    "TCP ZeroWindowProbeAck",
  ],
  [mark.WINDOW_UPDATE, "window_update", "Window update", "TCP Window Update"],
  [mark.WINDOW_FULL, "window_full", "Window is full", "TCP Window Full"],
];

/** The fields of a question, its answer and the time between, by kind. */
const PAIRS = [
  ["dns", "dns.response_in", "dns.response_to", "dns.time", 1e9],
  ["icmp", "icmp.resp_in", "icmp.resp_to", "icmp.resptime", 1e6],
  ["http", "http.response_in", "http.request_in", "http.time", 1e9],
  ["ntp", "ntp.response_in", "ntp.request_in", "ntp.delta_time", 1e9],
] as const;

export function prefixOf(rows: Rows, row: number, base: number): string {
  const slot = rows.slot(row);
  const marks = rows.marks[slot] ?? 0;
  if ((marks & mark.ANALYSIS) === 0 || rows.flows[slot] == null) return "";
  let text = "";
  for (const [bit, , , prefix] of NAMES) {
    if ((marks & bit) === 0) continue;
    const number = bit === mark.DUPLICATE_ACK ? ` ${duplicateText(rows, row, base)}` : "";
    text += `[${prefix}${number}] `;
  }
  return text;
}

export function notesOf(rows: Rows, row: number, base: number): readonly Field[] {
  const slot = rows.slot(row);
  const flow = rows.flows[slot];
  if (flow == null) return [];
  const notes: Field[] = [];
  const marks = rows.marks[slot] ?? 0;
  const upper = rows.uppers[slot] ?? 0;
  const time = rows.times[slot] ?? 0;
  const add = (
    name: string,
    label: string,
    value: Value,
    text = String(value),
    [start, end]: readonly [number, number] = [upper, upper],
  ): Field => {
    const field = new Field(name, label, start, end, value, text);
    notes.push(field);
    return field;
  };
  const number = (distance: number) => row - distance - base + 1;
  const since = (ns: number) =>
    Number.isNaN(ns) ? undefined : ([ns / 1e9, secondsText(ns)] as const);

  if ((marks & (mark.ABOUT_TCP | mark.ABOUT_UDP)) !== 0) {
    const about = (marks & mark.ABOUT_TCP) !== 0 ? "tcp" : "udp";
    add(`${about}.stream`, "About the stream", rows.partners[slot] ?? 0);
    return notes;
  }
  const protocol = flow.protocol === 6 ? "tcp" : flow.protocol === 17 ? "udp" : "";
  if ((marks & mark.STREAM) !== 0) add(`${protocol}.stream`, "Stream", flow.stream);
  if ((marks & (protocol === "tcp" ? mark.SEGMENT : mark.STREAM)) !== 0) {
    const sofar = time - flow.start;
    add(`${protocol}.time_relative`, "Since the stream began", sofar / 1e9, secondsText(sofar));
    const before = rows.previous[slot] ?? 0;
    const step = since(before === 0 ? 0 : time - rows.time(row - before));
    if (step) add(`${protocol}.time_delta`, "Since the stream's previous packet", ...step);
  }
  if ((marks & mark.SEGMENT) !== 0 && flow.sides !== null) addSegment();
  if ((marks & mark.TLS) !== 0) add("tls", "Transport Layer Security", true, "part of a record");
  addPair();
  return notes;

  function addSegment(): void {
    const bytes = rows.messages[slot] as Uint8Array;
    const at = (rows.starts[slot] ?? 0) + upper;
    const isLow = (flow?.opener === 0) === ((marks & mark.BACKWARD) === 0);
    const [low, high] = flow?.sides ?? [];
    const [from, to] = isLow ? [low, high] : [high, low];
    if (flow == null || from === undefined || to === undefined) return;
    const flags = u16(bytes, at + 12) & 0xfff;
    const length = rows.lengths[slot] ?? 0;
    const sequence = (u32(bytes, at + 4) - from.base) >>> 0;
    add(
      "tcp.completeness",
      "Seen of the connection",
      flow.completeness,
      stepsText(flow.completeness),
    );
    add("tcp.seq", "Sequence number (relative)", sequence, undefined, [upper + 4, upper + 8]);
    const next = (sequence + length + ((flags & (SYN | FIN)) !== 0 ? 1 : 0)) >>> 0;
    add("tcp.nxtseq", "Next sequence number (relative)", next);
    const raw = u32(bytes, at + 8);
    const acknowledged = (flags & ACK) === 0 ? raw : (raw - to.base) >>> 0;
    add("tcp.ack", "Acknowledgement number (relative)", acknowledged, undefined, [
      upper + 8,
      upper + 12,
    ]);
    const window = u16(bytes, at + 14);
    if ((flags & SYN) === 0) {
      const factor = from.scale < 0 ? from.scale : 2 ** from.scale;
      add("tcp.window_size_scalefactor", "Window scale factor", factor, FACTORS[factor]);
    }
    const shift = (flags & SYN) !== 0 ? 0 : Math.max(0, from.scale);
    if (from.scale !== -1 || (flags & SYN) !== 0) {
      add("tcp.window_size", "Window (scaled)", window * 2 ** shift, undefined, [
        upper + 14,
        upper + 16,
      ]);
    } else
      add("tcp.window_size", "Window (scale not known)", window, undefined, [
        upper + 14,
        upper + 16,
      ]);
    addAnalysis();
  }

  function addAnalysis(): void {
    let found = marks & mark.ANALYSIS;
    // Wireshark calls these retransmissions too.
    if ((found & (mark.FAST | mark.SPURIOUS)) !== 0) found |= mark.RETRANSMISSION;
    const acknowledged = rows.acknowledged[slot] ?? 0;
    const flight = rows.flight[slot] ?? 0;
    const pushed = rows.pushed[slot] ?? 0;
    if (found === 0 && acknowledged === 0 && flight === 0 && pushed === 0) return;
    const analysis = add("tcp.analysis", "Sequence analysis", true, "");
    const note = (name: string, label: string, value: Value, text?: string) =>
      analysis.add(`tcp.analysis.${name}`, label, upper, upper, value, text);
    if (acknowledged > 0) {
      note("acks_frame", "Acknowledges the segment in packet", number(acknowledged));
      const rtt = since(time - rows.time(row - acknowledged));
      if (rtt) note("ack_rtt", "Time to this acknowledgement", ...rtt);
    }
    if (flow != null && !Number.isNaN(flow.initialRtt)) {
      note(
        "initial_rtt",
        "Round trip of the handshake",
        flow.initialRtt / 1e9,
        secondsText(flow.initialRtt),
      );
    }
    if (flight > 0) {
      note("bytes_in_flight", "Bytes in flight", flight);
      note("push_bytes_sent", "Bytes since the last PSH", pushed);
    }
    if (found === 0) return;
    const texts: string[] = [];
    const all = note("flags", "Found", true, "");
    for (const [bit, name, label] of NAMES) {
      if ((found & bit) === 0) continue;
      all.add(`tcp.analysis.${name}`, label, upper, upper, true, "yes");
      texts.push(label);
    }
    all.text = analysis.text = texts.join(", ");
    const duplicateOf = rows.duplicateOf[slot] ?? 0;
    if (duplicateOf > 0) {
      note("duplicate_ack_num", "Duplicate number", rows.duplicates[slot] ?? 0);
      note(
        "duplicate_ack_frame",
        "Duplicate of the acknowledgement in packet",
        number(duplicateOf),
      );
    }
    const resentFrom = rows.resentFrom[slot] ?? 0;
    if (resentFrom > 0) {
      const rto = since(time - rows.time(row - resentFrom));
      if (rto) note("rto", "Waited before it was sent again", ...rto);
      note("rto_frame", "Waited since packet", number(resentFrom));
    }
  }

  function addPair(): void {
    const distances = [rows.partners[slot] ?? 0, ...(rows.more.get(row) ?? [])];
    if (distances[0] !== 0) for (const distance of distances) addPartner(distance);
  }

  function addPartner(distance: number): void {
    if (flow == null) return;
    const pair = PAIRS[(marks >> mark.KIND_SHIFT) & 3] ?? PAIRS[0];
    const six = pair[0] === "icmp" && flow.protocol === 58;
    const named = (name: string) => (six ? name.replace("icmp.", "icmpv6.") : name);
    if ((marks & mark.QUESTION) !== 0) {
      add(named(pair[1]), "Answered in packet", number(-distance));
      return;
    }
    if ((marks & mark.REPEATED) !== 0) {
      const kind = (marks & mark.ANSWER) !== 0 ? "response" : "request";
      add("dns.retransmission", "Sent again", true, "yes");
      add(`dns.retransmit_${kind}_in`, "First sent in packet", number(distance));
      return;
    }
    add(named(pair[2]), "Answers packet", number(distance));
    const taken = time - rows.time(row - distance);
    if (!Number.isNaN(taken))
      add(named(pair[3]), "Time to this answer", taken / pair[4], secondsText(taken));
  }
}

function duplicateText(rows: Rows, row: number, base: number): string {
  const slot = rows.slot(row);
  const first = row - (rows.duplicateOf[slot] ?? 0) - base + 1;
  return `${first}#${rows.duplicates[slot] ?? 0}`;
}

/** Nanoseconds as seconds, milliseconds or microseconds. */
export function secondsText(ns: number): string {
  const size = Math.abs(ns);
  if (size >= 1e9) return `${(ns / 1e9).toFixed(3)} s`;
  return size >= 1e6 ? `${(ns / 1e6).toFixed(3)} ms` : `${(ns / 1e3).toFixed(1)} µs`;
}

const FACTORS: Readonly<Record<number, string>> = { [-1]: "not known", [-2]: "not used" };
const STEPS = ["SYN", "SYN-ACK", "ACK", "data", "FIN", "RST"];

function stepsText(bits: number): string {
  return STEPS.filter((_, bit) => (bits >> bit) & 1).join(", ") || "nothing";
}
