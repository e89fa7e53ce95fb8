/** QUIC (RFC 9000, section 17; RFC 9369): the headers of its packets; the rest is encrypted. */

import { octets, u8, u32 } from "./bytes";
import { type Dissection, isFull, SHORT } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";

const TWO = 0x6b3343cf;
const LONG =
  "version:Version:4x;dcil:Destination connection ID length:1;dcid:Destination connection ID:";

function scil(bytes: Uint8Array, start: number): number {
  return u8(bytes, start + 6 + u8(bytes, start + 5));
}

export function dissectQuic(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "QUIC";
  const said: string[] = [];
  // Packets can follow each other in a datagram; zeros behind them are padding.
  for (let at = start; at < end && said.length < 20 && (at === start || u8(bytes, at) !== 0); ) {
    const [stop, text] = dissectPacket(to, at, end);
    said.push(text);
    at = stop;
  }
  to.info = said.join(" | ");
}

function dissectPacket(to: Dissection, start: number, end: number): [end: number, said: string] {
  const { bytes } = to;
  const layer = to.layer("quic", "QUIC", start, end);
  const first = u8(bytes, start);
  layer.add("quic.header_form", "Long header", start, start + 1, first >= 0x80);
  if (first < 0x80) {
    layer.text = "Protected Payload (KP0)";
    lay(to, layer, "quic", start, end, "fixed_bit:Fixed bit:^1&40;spin_bit:Spin bit:^1&20");
    return [end, layer.text];
  }
  const version = u32(bytes, start + 1);
  const to2 = u8(bytes, start + 5);
  const table = `${LONG}${to2}o;scil:Source connection ID length:1;scid:Source connection ID:${scil(bytes, start)}o`;
  // In version 2 the kinds have other numbers.
  const type = (first >> 4) & 3;
  const kind = nameOf("QUIC", version === TWO ? (type + 3) % 4 : type) ?? "";
  layer.text = version === 0 ? "Version Negotiation" : kind;
  if (version !== 0) {
    if (kind !== "Retry") lay(to, layer, "quic", start, end, "fixed_bit:Fixed bit:^1&40;:Kind:1_");
    const name = version === TWO ? "quic.long.packet_type_v2" : "quic.long.packet_type";
    layer.add(name, "Kind", start, start + 1, type, `${kind} (${type})`);
  }
  let at = lay(to, layer, "quic", start + 1, end, table);
  const ids = [[6, to2, "DCID"] as const, [7 + to2, scil(bytes, start), "SCID"] as const];
  for (const [offset, size, name] of ids) {
    if (size === 0) continue;
    const from = start + offset;
    layer.text += `, ${name}=${octets(bytes, from, from + size).replaceAll(":", "")}`;
  }
  let stop = end;
  if (version === 0) {
    while (at + 4 <= end && !isFull(layer, at, end)) {
      at = lay(to, layer, "quic", at, end, "supported_version:Supported version:4x");
    }
  } else if (kind === "Retry") {
    const token = `retry_token:Token:${Math.max(0, end - at - 16)}o;retry_integrity_tag:Integrity tag:16o`;
    if (end - at >= 16) lay(to, layer, "quic", at, end, token);
  } else {
    if (kind === "Initial") {
      const [length, from] = addLength(to, "quic.token_length", "Token length", at, end);
      at = from;
      if (length > 0) at = lay(to, layer, "quic", at, end, `token:Token:${length}o`);
    }
    const [length, from] = addLength(to, "quic.length", "Length", at, end);
    stop = Math.min(end, from + length);
  }
  layer.end = stop;
  return [stop, layer.text];
}

/** Add a number whose first two bits tell its length (RFC 9000, section 16). */
function addLength(
  to: Dissection,
  name: string,
  label: string,
  start: number,
  end: number,
): [value: number, end: number] {
  const { bytes } = to;
  const first = u8(bytes, start);
  const size = 1 << (first >> 6);
  let value = first & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + u8(bytes, start + i);
  to.layers.at(-1)?.add(name, label, start, Math.min(start + size, end), value);
  if (start + size > end) throw SHORT;
  return [value, start + size];
}
