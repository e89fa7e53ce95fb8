/** STUN (RFC 8489): a host asks under which address others see it. */

import { ipv4Text, ipv6Text } from "./address";
import { u8, u16 } from "./bytes";
import { type Dissection, type Field, isFull, SHORT } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";

const HEAD =
  "type:Type:2x;type.class:Class:2&110=STUNCLASS;type.method:Method:2&3eef=STUN;length:Length:2;cookie:Cookie:4o;id:Transaction:12o";
const ATTRIBUTE = "att.type:Type:2x=STUNATT;att.length:Length:2";
const TEXTS: Readonly<Record<number, string>> = {
  6: "att.username:User name:*s",
  20: "att.realm:Realm:*s",
  21: "att.nonce:Nonce:*s",
  32802: "att.software:Software:*s",
  36: "att.priority:Priority:4",
  13: "att.lifetime:Lifetime:4~s",
};
const PLAIN = [1, 0x8023];
const XORED = [0x12, 0x16, 0x20];

export function dissectStun(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  const layer = to.layer("stun", "Session Traversal Utilities for NAT", start, end);
  to.protocol = "STUN";
  const type = u16(bytes, start);
  // The bits of class and method are mixed.
  const kind = (type & 0x110) >> 4;
  const method = (type & 0xf) | ((type >> 1) & 0x70) | ((type >> 2) & 0xf80);
  to.info = `${nameOf("STUN", method) ?? "Unknown"} ${nameOf("STUNCLASS", kind)}`;
  layer.text = to.info;
  let at = lay(to, layer, "stun", start, end, HEAD);
  while (at < end && !isFull(layer, at, end)) {
    const attribute = u16(bytes, at);
    const name = nameOf("STUNATT", attribute) ?? "Unknown";
    const field = layer.add("", name, at, end, "");
    const body = lay(to, field, "stun", at, end, ATTRIBUTE);
    const size = u16(bytes, body - 2);
    const table = TEXTS[attribute];
    if (table !== undefined) lay(to, field, "stun", body, Math.min(end, body + size), table);
    let address = "";
    const xored = XORED.includes(attribute);
    if (xored || PLAIN.includes(attribute)) {
      address = addAddress(field, bytes, body, end, start, xored);
      to.info += ` ${name}: ${address}`;
    }
    field.text =
      address ||
      field.fields
        .slice(2)
        .map(({ text }) => text)
        .join(", ") ||
      `${size} bytes`;
    at = body + size + (-size & 3);
    field.end = Math.min(at, end);
  }
}

function addAddress(
  field: Field,
  bytes: Uint8Array,
  start: number,
  end: number,
  message: number,
  xored: boolean,
): string {
  const size = u8(bytes, start + 1) === 2 ? 16 : 4;
  if (start + 4 + size > end) throw SHORT;
  // What is not to be changed on the way is combined with the cookie and the transaction.
  const clear = Uint8Array.from({ length: size + 2 }, (_, i) => {
    const key = i < 2 ? i : i - 2;
    return u8(bytes, start + 2 + i) ^ (xored ? u8(bytes, message + 4 + key) : 0);
  });
  const address = size === 4 ? ipv4Text(clear, 2) : ipv6Text(clear, 2);
  const port = u16(clear, 0);
  field.add("stun.att.family", "Family", start + 1, start + 2, u8(bytes, start + 1));
  field.add("stun.att.port", "Port", start + 2, start + 4, port);
  const name = size === 4 ? "stun.att.ipv4" : "stun.att.ipv6";
  field.add(name, "Address", start + 4, start + 4 + size, address);
  return size === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}
