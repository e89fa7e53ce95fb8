/** What decoding a packet yields: layers of fields, each with its bytes, and a line for the table. */

import type { u8 } from "./bytes";

export type Value = number | string | boolean;

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

  constructor(
    readonly bytes: Uint8Array,
    readonly originalLength: number,
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
  truncated(name: string, label: string, start: number): void {
    this.protocol ||= label;
    this.info = `[Truncated ${label}]`;
    this.layer(name, label, start, this.bytes.length).text = "truncated";
  }

  /** Add what nobody knows more about. */
  data(start: number, end: number): void {
    if (start >= end) return;
    const size = end - start;
    const layer = this.layer("data", "Data", start, end);
    layer.text = `${size} byte${size === 1 ? "" : "s"}`;
    layer.add("data.len", "Length", start, end, size, `${size} bytes`);
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

/** Add a checksum and whether it is right; `expected` is null where that cannot be said. */
export function addChecksum(
  layer: Field,
  prefix: string,
  start: number,
  found: number,
  expected: number | null,
): void {
  const shown = `0x${found.toString(16).padStart(4, "0")}`;
  const good = expected === found;
  const verdict =
    expected === null
      ? "not verified"
      : good
        ? "correct"
        : `should be 0x${expected.toString(16).padStart(4, "0")}`;
  layer
    .add(`${prefix}.checksum`, "Checksum", start, start + 2, found, `${shown} (${verdict})`)
    .add(`${prefix}.checksum.status`, "Status", start, start + 2, ...status(expected, good));
}

/** Add the checksum of a packet that says it has none. */
export function addNoChecksum(layer: Field, prefix: string, start: number): void {
  layer
    .add(`${prefix}.checksum`, "Checksum", start, start + 2, 0, "none")
    .add(`${prefix}.checksum.status`, "Status", start, start + 2, 3, "Not present");
}

function status(expected: number | null, good: boolean): [number, string] {
  if (expected === null) return [2, "Unverified"];
  return good ? [1, "Good"] : [0, "Bad"];
}
