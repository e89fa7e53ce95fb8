/** ICMP (RFC 792). */

import { ipv4Text } from "./address";
import { hex, u8, u16 } from "./bytes";
import { checksum } from "./checksum";
import { addChecksum, type Dissection, type Dissector } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";
import { wholePacket } from "./transport";

const CODED = [3, 5, 11, 12];
/** Errors carry the packet that they are about. */
const ERRORS = [3, 4, 5, 11, 12];
const ECHO = "ident:Identifier:2;seq:Sequence number:2";
const TIMES =
  ";originate_timestamp:Originated:4~ms;receive_timestamp:Received:4~ms;transmit_timestamp:Sent:4~ms";
const BODIES: Readonly<Record<number, string>> = {
  0: ECHO,
  5: "redir_gw:Gateway:4a",
  8: ECHO,
  9: "num_addrs:Addresses:1;addr_entry_size:Words each:1;lifetime:Lifetime:2~s",
  12: "pointer:Pointer:1;:Unused:3_",
  13: ECHO + TIMES,
  14: ECHO + TIMES,
  15: ECHO,
  16: ECHO,
  17: `${ECHO};address_mask:Address mask:4a`,
  18: `${ECHO};address_mask:Address mask:4a`,
};

/** Return the dissector; `quoted` decodes the packet that an error carries. */
export function icmpDissector(quoted: Dissector): Dissector {
  return (to, start, end) => {
    const { bytes } = to;
    to.protocol = "ICMP";
    if (end - start < 8) {
      const layer = to.truncated("icmp", "ICMP", start, end);
      if (end - start >= 2) lay(to, layer, "icmp", start, end, "type:Type:1;code:Code:1");
      return;
    }
    const type = u8(bytes, start);
    const code = u8(bytes, start + 1);
    const layer = to.layer("icmp", "Internet Control Message Protocol", start, start + 8);
    const name = nameOf("ICMP", type) ?? `Unknown type ${type}`;
    let codeName = nameOf(`ICMP${type}`, code);
    if (CODED.includes(type)) codeName ??= `Unknown code: ${code}`;
    layer.text = codeName ?? name;
    layer.add("icmp.type", "Type", start, start + 1, type, `${type} (${name})`);
    const codeText = codeName === undefined ? String(code) : `${code} (${codeName})`;
    layer.add("icmp.code", "Code", start + 1, start + 2, code, codeText);
    const found = u16(bytes, start + 2);
    const whole = wholePacket(to, end) !== undefined;
    addChecksum(
      layer,
      "icmp",
      start + 2,
      found,
      whole ? checksum(bytes, start, end, 0xffff - found) : null,
    );
    to.info = codeName === undefined ? name : `${name.padEnd(20)} (${codeName})`;
    let body = start + 8;
    const table = type === 3 && code === 4 ? ":Unused:2_;mtu:MTU of next hop:2" : BODIES[type];
    if (table !== undefined) body = lay(to, layer, "icmp", start + 4, end, table);
    layer.end = body;
    if (table?.startsWith(ECHO)) addEcho(to, name, start);
    if (ERRORS.includes(type)) quoted(to, body, end);
    else if (type === 9) {
      for (; body + 8 <= end && layer.fields.length < 40; body += 8) {
        const address = ipv4Text(bytes, body);
        layer.add("icmp.addr", "Router", body, body + 4, address);
      }
    } else if (type === 0 || type === 8) to.data(body, end);
    else layer.end = end;
  };
}

function addEcho(to: Dissection, name: string, start: number): void {
  const { bytes } = to;
  const layer = to.layers.at(-1);
  const id = u16(bytes, start + 4);
  const sequence = u16(bytes, start + 6);
  if (layer !== undefined) layer.text = `${name}, identifier ${id}, sequence ${sequence}`;
  const swapped = ((sequence & 0xff) << 8) | (sequence >> 8);
  const ip = to.layers.findLast((one) => one.name === "ip");
  const ttl = ip?.fields.find((field) => field.name === "ip.ttl")?.value ?? 0;
  to.info = `${name.padEnd(20)} id=${hex(id, 4)}, seq=${sequence}/${swapped}, ttl=${ttl}`;
}
