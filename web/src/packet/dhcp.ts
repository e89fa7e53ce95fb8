/** DHCP (RFC 2131) and the options people look for (RFC 2132). */

import { ipv4Text } from "./address";
import { hex, hexDigits, u8, u32 } from "./bytes";
import { addNumber, type Dissection, isFull } from "./dissection";

const FIXED = 236;
const COOKIE = 0x63825363;
const MESSAGES = ["", "Discover", "Offer", "Request", "Decline", "ACK", "NAK", "Release", "Inform"];

export function dissectDhcp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "DHCP";
  if (end - start < FIXED + 4) {
    to.truncated("dhcp", "DHCP", start);
    return;
  }
  const layer = to.layer("dhcp", "Dynamic Host Configuration Protocol", start, end);
  const operation = addNumber(layer, "dhcp.type", "Operation", u8, bytes, start, 1);
  const id = u32(bytes, start + 4);
  layer.add("dhcp.id", "Transaction", start + 4, start + 8, id, hex(id, 8));
  const addresses = [
    ["client", 12, "Client address"],
    ["your", 16, "Your address"],
    ["server", 20, "Next server"],
    ["relay", 24, "Relay"],
  ] as const;
  for (const [name, at, label] of addresses) {
    layer.add(`dhcp.ip.${name}`, label, start + at, start + at + 4, ipv4Text(bytes, start + at));
  }
  const hardware = (hexDigits(bytes, start + 28, start + 34).match(/../g) ?? []).join(":");
  layer.add("dhcp.hw.mac_addr", "Hardware address", start + 28, start + 34, hardware);
  let kind = operation === 1 ? "Boot Request" : "Boot Reply";
  if (u32(bytes, start + FIXED) === COOKIE) {
    for (let at = start + FIXED + 4; at < end && !isFull(layer, at, end); ) {
      const code = u8(bytes, at);
      if (code === 0) {
        at++;
        continue;
      }
      if (code === 255) break;
      const size = u8(bytes, at + 1);
      const stop = Math.min(end, at + 2 + size);
      if (code === 53) {
        kind = MESSAGES[u8(bytes, at + 2)] ?? kind;
        layer.add("dhcp.option.dhcp", "Message", at, stop, u8(bytes, at + 2), kind);
      } else {
        layer.add("dhcp.option.type", `Option ${code}`, at, stop, code, `${size} bytes`);
      }
      at = stop;
    }
  }
  layer.text = `${kind}, transaction ${hex(id, 8)}`;
  to.info = `DHCP ${kind.padEnd(8)} - Transaction ID ${hex(id, 0)}`;
}
