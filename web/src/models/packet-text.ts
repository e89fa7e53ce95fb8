/** What the cells of a row say. */

import { decode } from "../packet/decode";
import type { Dissection, Field } from "../packet/dissection";
import type { EngineModel } from "./engine";
import { causeText } from "./losses";
import { INJECTED, LOSS, type Loss, type PacketRing, UNKNOWN } from "./packet-ring";
import { count } from "./units";

export const TIME_FORMATS = ["clock", "date", "start", "previous", "epoch"] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];

/** The cells of a packet's row, from the time on. */
export interface RowText {
  readonly kind: "received" | "injected" | "unknown" | "loss";
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly length: string;
  readonly info: string;
  /** Null where packets are missing. */
  readonly decoded: Dissection | null;
}

const ENDED = ["tls", "http"];

/** What says of a row what it is, and what the packets around it say of it. */
export interface RowSource {
  readonly ring: PacketRing;
  readonly engine: Pick<EngineModel, "notes" | "begins">;
}

export function rowText({ ring, engine }: RowSource, row: number): RowText {
  const kind = ring.kind(row);
  if (kind === LOSS) {
    const loss = ring.loss(row);
    const info = loss === undefined ? "" : lossText(loss);
    const none = { source: "", destination: "", protocol: "", length: "", decoded: null };
    return { kind: "loss", ...none, info };
  }
  const originalLength = ring.originalLength(row);
  const decoded = decode(ring.packet(row), originalLength, engine.begins(row));
  const { source, destination } = decoded;
  let { protocol, info } = decoded;
  // A record or a head that began in an earlier packet ends here.
  const ended = engine
    .notes(row)
    ?.find(({ name, fields }) => ENDED.includes(name) && fields.length > 0);
  if (ended !== undefined) {
    const word = ended.name.toUpperCase();
    info = protocol === word ? `${ended.text}, ${info}` : ended.text;
    protocol = word;
  }
  const way = kind === UNKNOWN ? "unknown" : kind === INJECTED ? "injected" : "received";
  const length = String(originalLength);
  const foreign = ring.foreign.get(row);
  if (foreign !== undefined) {
    const what = `${foreign}: not an IP packet, so it is not decoded`;
    return { kind: way, source, destination, protocol: "", length, info: what, decoded };
  }
  return { kind: way, source, destination, protocol, length, info, decoded };
}

/** Return the fields of a name, those of other packets' notes too. */
export function fieldsOf(fields: readonly Field[], name: string): Field[] {
  return fields.flatMap((field) => [
    ...(field.name === name ? [field] : []),
    ...fieldsOf(field.fields, name),
  ]);
}

/**
 * Return the line of a packet with relative sequence numbers, the scaled window and the number of
 * the packet that it answers or that answers it, where the analysis knows them. While
 * it has not said so, there is no number, since a number that changes would be taken for news.
 */
export function relativeInfo(info: string, notes: readonly Field[] | undefined): string {
  let text = info;
  for (const [name, word] of RELATIVE) {
    const note = notes?.find((one) => one.name === name);
    if (notes === undefined) text = text.replace(word, "$1…");
    else if (note !== undefined) text = text.replace(word, (_all, key) => `${key}${note.value}`);
  }
  const echo = notes?.find(({ name }) => ECHO.test(name));
  const way = echo?.name.endsWith("_in") ? "reply" : "request";
  return echo === undefined ? text : `${text} (${way} in ${echo.value})`;
}

const RELATIVE = [
  ["tcp.seq", /\b(Seq=)\d+/],
  ["tcp.ack", /\b(Ack=)\d+/],
  ["tcp.window_size", /\b(Win=)\d+/],
] as const;
const ECHO = /^icmp(?:v6)?\.resp_(?:in|to)$/;

/** "412 packets from host are missing (sequence 7 to 418): a client's queue was full". */
export function lossText(loss: Loss): string {
  const { cause, count, first, last, injected } = loss;
  if (cause === "session") return "A new session of this adapter began.";
  if (cause === "adapter") {
    return "This adapter was created again with another GUID. The packets below are of the new one.";
  }
  const way = injected ? "to host" : "from host";
  const what =
    count === 1 ? `1 packet ${way} is` : `${count.toLocaleString("en")} packets ${way} are`;
  const range = first === null ? "" : ` (sequence ${first}${first === last ? "" : ` to ${last}`})`;
  return `${what} missing${range}: ${causeText(cause)}`;
}

/** The protocol's place in the palette. */
export function protocolClass(protocol: string): string {
  const name = protocol.toLowerCase();
  if (name.startsWith("icmp")) return "icmp";
  if (name.endsWith("dns") || name === "llmnr") return "dns";
  return ["tcp", "udp", "tls", "http", "quic"].includes(name) ? name : "other";
}

const SECOND = 1_000_000_000n;

/**
 * A time to the microsecond: of the day, with its date, since another, or since 1970. What is of the
 * day is that of this browser, unless `utc`.
 */
export function timeText(timeNs: bigint, format: TimeFormat, since: bigint, utc = false): string {
  const isClock = format === "clock" || format === "date";
  const elapsed = isClock || format === "epoch" ? timeNs : timeNs - since;
  const size = elapsed < 0n ? -elapsed : elapsed;
  const micros = String((size % SECOND) / 1000n).padStart(6, "0");
  if (!isClock) return `${elapsed < 0n ? "−" : ""}${size / SECOND}.${micros}`;
  const time = new Date(Number(timeNs / 1_000_000n));
  const zone = utc ? 0 : time.getTimezoneOffset();
  const text = new Date(time.getTime() - zone * 60_000).toISOString();
  const day = format === "date" ? `${text.slice(0, 10)} ` : "";
  return `${day}${text.slice(11, 19)}.${micros}`;
}

/** What is said of packets that came since the table was paused. */
export function heldText(held: number): string {
  return `Paused: ${count(held)} newer ${held === 1 ? "packet is" : "packets are"} held`;
}
