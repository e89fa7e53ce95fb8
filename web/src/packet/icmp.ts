/** ICMP (RFC 792). */

import { ipv4Text } from "./address";
import { u8, u16, u32 } from "./bytes";
import { checksum } from "./checksum";
import { addChecksum, addNumber, type Dissection, type Dissector } from "./dissection";
import { ICMP_CODES, ICMP_TYPES } from "./names";
import { wholePacket } from "./transport";

/** Return the dissector; `quoted` decodes the packet that an error carries. */
export function icmpDissector(quoted: Dissector): Dissector {
  return (to, start, end) => {
    const { bytes } = to;
    to.protocol = "ICMP";
    if (end - start < 8) {
      to.truncated("icmp", "ICMP", start);
      return;
    }
    const type = u8(bytes, start);
    const code = u8(bytes, start + 1);
    const layer = to.layer("icmp", "Internet Control Message Protocol", start, start + 8);
    const name = ICMP_TYPES[type] ?? `Unknown ICMP type ${type}`;
    const codeName = ICMP_CODES[type]?.[code];
    layer.text = codeName ?? name;
    layer.add("icmp.type", "Type", start, start + 1, type, `${type} (${name})`);
    layer.add(
      "icmp.code",
      "Code",
      start + 1,
      start + 2,
      code,
      codeName ? `${code} (${codeName})` : String(code),
    );
    const found = u16(bytes, start + 2);
    const whole = wholePacket(to, end) !== undefined;
    const expected = whole ? checksum(bytes, start, end, 0xffff - found) : null;
    addChecksum(layer, "icmp", start + 2, found, expected);
    to.info = codeName === undefined ? name : `${name.padEnd(20)} (${codeName})`;
    if (type === 0 || type === 8) {
      addEcho(to, layer.text, start, end);
    } else if (type === 13 || type === 14) {
      addNumber(layer, "icmp.ident", "Identifier", u16, bytes, start + 4, 2);
      addNumber(layer, "icmp.seq", "Sequence number", u16, bytes, start + 6, 2);
      to.data(start + 8, end);
    } else if (type === 3 || type === 5 || type === 11 || type === 12) {
      if (type === 3 && code === 4) {
        addNumber(layer, "icmp.mtu", "MTU of next hop", u16, bytes, start + 6, 2);
      } else if (type === 5) {
        const gateway = ipv4Text(bytes, start + 4);
        layer.add("icmp.redir_gw", "Gateway", start + 4, start + 8, gateway);
      }
      quoted(to, start + 8, end);
    } else to.data(start + 8, end);
  };
}

function addEcho(to: Dissection, name: string, start: number, end: number): void {
  const { bytes } = to;
  const layer = to.layers.at(-1);
  if (layer === undefined) return;
  const id = u16(bytes, start + 4);
  const sequence = u16(bytes, start + 6);
  layer.add(
    "icmp.ident",
    "Identifier",
    start + 4,
    start + 6,
    id,
    `${id} (0x${id.toString(16).padStart(4, "0")})`,
  );
  layer.add("icmp.seq", "Sequence number", start + 6, start + 8, sequence);
  layer.text = `${name}, identifier ${id}, sequence ${sequence}`;
  const swapped = ((sequence & 0xff) << 8) | (sequence >> 8);
  const ip = to.layers.findLast((one) => one.name === "ip");
  const ttl = ip?.fields.find((field) => field.name === "ip.ttl")?.value ?? 0;
  to.info =
    `${name.padEnd(20)} id=0x${id.toString(16).padStart(4, "0")}, ` +
    `seq=${sequence}/${swapped}, ttl=${ttl}`;
  to.data(start + 8, end);
}

/** The unused half of an error, for ICMPv6 too. */
export function addPointer(to: Dissection, name: string, label: string, start: number): number {
  const value = u32(to.bytes, start);
  to.layers.at(-1)?.add(name, label, start, start + 4, value);
  return value;
}
