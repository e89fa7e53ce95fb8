/** What the cells of a row say. */

import { decode } from "../packet/decode";
import { causeText } from "./losses";
import { INJECTED, LOSS, type Loss, type PacketRing } from "./packet-ring";

export const TIME_FORMATS = ["clock", "date", "start", "previous", "epoch"] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];

/** The cells of a packet's row, from the time on. */
export interface RowText {
  readonly kind: "received" | "injected" | "loss";
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly length: string;
  readonly info: string;
}

export function rowText(ring: PacketRing, row: number): RowText {
  const kind = ring.kind(row);
  if (kind === LOSS) {
    const loss = ring.loss(row);
    return {
      kind: "loss",
      source: "",
      destination: "",
      protocol: "",
      length: "",
      info: loss === undefined ? "" : lossText(loss),
    };
  }
  const length = ring.originalLength(row);
  const { source, destination, protocol, info } = decode(ring.packet(row), length);
  return {
    kind: kind === INJECTED ? "injected" : "received",
    source,
    destination,
    protocol,
    length: String(length),
    info,
  };
}

/** "412 received packets are missing (sequence 7 to 418): a client's queue was full". */
export function lossText(loss: Loss): string {
  if (loss.cause === "session") return "A new session of this adapter began.";
  const { count, first, last, injected } = loss;
  const direction = injected ? "injected" : "received";
  const what =
    count === 1
      ? `1 ${direction} packet is`
      : `${count.toLocaleString("en")} ${direction} packets are`;
  const range = first === null ? "" : ` (sequence ${first}${first === last ? "" : ` to ${last}`})`;
  return `${what} missing${range}: ${causeText(loss.cause)}`;
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
