/** What decoding a packet yields: layers of fields, each with its bytes, and a line for the table. */

import { hex, type u8 } from "./bytes";

export type Value = number | string | boolean;

/**
 * IP and extension headers of one packet that are followed, one inside or behind the other; what
 * comes after them is not decoded. The same number is in wintun_api/packet/ipv6.py.
 */
export const MAX_HEADERS = 32;
export const TOO_DEEP = `More than ${MAX_HEADERS} nested headers; the rest is not decoded`;
/** Thrown where bytes end that a header promised; `run` catches it. */
export const SHORT = new Error("the bytes end too early");
/** Options, records and the like of one kind that are shown. */
export const MAX_ITEMS = 100;

/** The label of a field that is found, but not shown, since the one around it says the same. */
export const UNSEEN = "";

export function bytesText(size: number): string {
  return size === 1 ? "1 byte" : `${size} bytes`;
}

/** A layer or a field of one. Names are those of Wireshark's display filters. */
export class Field {
  readonly fields: Field[] = [];

  constructor(
    readonly name: string,
    readonly label: string,
    /** Position of its first byte in the packet. */
    readonly start: number,
    /** Position behind its last byte. */
    public end: number,
    readonly value: Value,
    /** The value as a person reads it. */
    public text: string,
  ) {}

  /** Add a field, whose text is its value unless given. */
  add(
    name: string,
    label: string,
    start: number,
    end: number,
    value: Value,
    text = String(value),
  ): Field {
    const field = new Field(name, label, start, end, value, text);
    this.fields.push(field);
    return field;
  }
}

/** The packet being decoded, and what is known of it so far. */
export class Dissection {
  readonly layers: Field[] = [];
  source = "";
  destination = "";
  protocol = "";
  info = "";
  /** Where the packet ends by its own headers; beyond the bytes when those were cut. */
  promised: number;
  /** Inside the packet that an ICMP error carries, which may be cut or changed on its way. */
  quoting = false;
  /** What contradicts itself, or ends before it should; a layer `_ws.malformed` says what. */
  malformed = false;
  /** Where the address of the destination stands, for the pseudo-header; behind a route its end. */
  goal = 0;
  /** Where the message begins whose names may point into it. */
  message = 0;
  /** Other packets carry more of this one. */
  fragment = false;
  /** IP and extension headers until now. */
  private headers = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly originalLength: number,
    /** Bytes of the segment that go on with what began in an earlier one. */
    readonly begins = 0,
  ) {
    this.promised = originalLength;
  }

  /** Add a layer; its text is what a person reads while it is folded. */
  layer(name: string, label: string, start: number, end: number): Field {
    const layer = new Field(name, label, start, Math.min(end, this.bytes.length), "", "");
    this.layers.push(layer);
    return layer;
  }

  /** Say that the bytes end inside a header, in a layer of its own. */
  truncated(name: string, label: string, start: number, end = this.bytes.length): Field {
    this.protocol ||= label;
    this.info = `[Truncated ${label}]`;
    const layer = this.layer(name, label, start, end);
    layer.text = "truncated";
    if (!this.isCut(end)) this.spoil(`${label} ends inside its header`, start, end, false);
    return layer;
  }

  /** Say that a packet is malformed: a mark of its own, and in the row. */
  spoil(reason: string, start: number, end: number, tell = true): void {
    if (this.quoting || this.fragment || this.malformed) return;
    this.malformed = true;
    this.layer("_ws.malformed", "Malformed packet", start, end).text = reason;
    if (tell) this.info += `${this.info && " "}[Malformed Packet]`;
  }

  /** Decode a part of the packet; where its bytes end too early, say so. */
  run(dissector: Dissector, start: number, end: number): void {
    try {
      dissector(this, start, end);
    } catch (error) {
      if (this.isCut(end)) this.info += `${this.info && " "}[Packet size limited during capture]`;
      else {
        const name = this.layers.at(-1)?.label ?? "";
        // Only what dissectors throw themselves is a plain error.
        const own = error instanceof Error && error.constructor === Error;
        const reason = `${name}: ${own ? error.message : "it cannot be decoded"}`;
        this.spoil(reason, start, end);
      }
    }
  }

  /** Whether the capture, not the packet, ends here. */
  private isCut(end: number): boolean {
    return end >= this.bytes.length && this.originalLength > this.bytes.length;
  }

  /** Count an IP or extension header; say in a layer when it is one too many. */
  enter(start: number, end: number): boolean {
    if (this.headers++ < MAX_HEADERS) return true;
    this.info = TOO_DEEP;
    this.layer("data", "Nested too deeply", start, end).text = TOO_DEEP;
    return false;
  }

  /** Add what nobody knows more about. */
  data(start: number, end: number): void {
    if (start >= end) return;
    const size = end - start;
    const layer = this.layer("data", "Data", start, end);
    layer.text = bytesText(size);
    layer.add("data.len", "Length", start, end, size, layer.text);
  }
}

/** Decodes what lies from `start` to `end`, the end of the bytes that are there. */
export type Dissector = (to: Dissection, start: number, end: number) => void;

/** Add a number of one, two or four bytes as it stands there. */
export function addNumber(
  layer: Field,
  name: string,
  label: string,
  read: typeof u8,
  bytes: Uint8Array,
  start: number,
  size: number,
): number {
  const value = read(bytes, start);
  layer.add(name, label, start, start + size, value);
  return value;
}

/** Say that a header has more options or records than are shown; returns whether that is so. */
export function isFull(layer: Field, start: number, end: number): boolean {
  if (layer.fields.length < MAX_ITEMS) return false;
  if (layer.fields.at(-1)?.label !== "More") {
    layer.add("", "More", start, end, "", `Only the first ${MAX_ITEMS} are decoded`);
  }
  return true;
}

/** Add a checksum and whether it is right; `expected` is null where that cannot be said. */
export function addChecksum(
  layer: Field,
  prefix: string,
  start: number,
  found: number,
  expected: number | null,
): void {
  const status = expected === null ? 2 : Number(expected === found);
  const verdict = [`should be ${hex(expected ?? 0, 4)}`, "correct", "not verified"][status];
  addStatus(layer, prefix, start, found, `${hex(found, 4)} (${verdict})`, status);
}

/** Add the checksum of a packet that says it has none: fine over IPv4, but not over IPv6. */
export function addNoChecksum(layer: Field, prefix: string, start: number, legal: boolean): void {
  const text = legal ? "none" : "0x0000 (invalid: UDP over IPv6 must have a checksum)";
  addStatus(layer, prefix, start, 0, text, legal ? 3 : 4);
}

function addStatus(
  layer: Field,
  prefix: string,
  start: number,
  found: number,
  text: string,
  status: number,
): void {
  layer
    .add(`${prefix}.checksum`, "Checksum", start, start + 2, found, text)
    .add(`${prefix}.checksum.status`, "Status", start, start + 2, status, STATUSES[status]);
}

const STATUSES = ["Bad", "Good", "Unverified", "Not present", "Illegal"];
