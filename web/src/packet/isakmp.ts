/** IKE (RFC 7296, RFC 2408), and IPsec in UDP (RFC 3948). */

import { hex, u8, u32 } from "./bytes";
import { type Dissection, isFull } from "./dissection";
import { dissectEsp } from "./gre";
import { lay } from "./layout";
import { nameOf } from "./names";

const HEAD =
  "ispi:Initiator's SPI:8o;rspi:Responder's SPI:8o;nextpayload:Next payload:1=PAYLOAD;version:Version:1x;mjver:Major version:1&f0;mnver:Minor version:1&f;exchangetype:Exchange:1=IKE;flags:Flags:1x";
const FLAGS1 = ";flag_e:Encrypted:1&1;flag_c:Commit:1&2;flag_a:Authentication only:1&4";
const FLAGS2 = ";flag_i:Initiator:1&8;flag_v:Version:1&10;flag_r:Response:1&20";

export function dissectIsakmp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  const layer = to.layer(
    "isakmp",
    "Internet Security Association and Key Management Protocol",
    start,
    end,
  );
  to.protocol = "ISAKMP";
  const second = u8(bytes, start + 17) >> 4 !== 1;
  const exchange = u8(bytes, start + 18);
  const flags = u8(bytes, start + 19);
  to.info = nameOf("IKE", exchange) ?? `Unknown ${exchange}`;
  const tail = ";messageid:Message:4x;length:Length:4~bytes";
  let at = lay(to, layer, "isakmp", start, end, HEAD + (second ? FLAGS2 : FLAGS1) + tail);
  if (second) {
    const id = u32(bytes, start + 20)
      .toString(16)
      .padStart(2, "0");
    to.info += ` MID=${id} ${flags & 8 ? "Initiator" : "Responder"} ${flags & 32 ? "Response" : "Request"}`;
  }
  layer.text = to.info;
  if (start + u32(bytes, start + 24) > end) throw new Error("the length goes beyond the end");
  let payload = u8(bytes, start + 16);
  while (payload !== 0 && at < end && !isFull(layer, at, end) && !(flags & 1 && !second)) {
    const field = layer.add(
      "isakmp.typepayload",
      "Payload",
      at,
      end,
      payload,
      nameOf("PAYLOAD", payload),
    );
    const next = u8(bytes, at);
    const body = lay(
      to,
      field,
      "isakmp",
      at,
      end,
      "nextpayload:Next payload:1=PAYLOAD;:Flags:1_;payloadlength:Length:2",
    );
    const size = (u8(bytes, at + 2) << 8) | u8(bytes, at + 3);
    if (size < 4 || body - 4 + size > end)
      throw new Error(`a payload says that it has ${size} bytes`);
    field.end = at + size;
    at += size;
    // What is in an encrypted payload is not in the clear.
    if (payload === 46 || payload === 53) break;
    payload = next;
  }
}

/** ESP and IKE share UDP port 4500: an SPI of 0 marks IKE. */
export function dissectUdpEncap(to: Dissection, start: number, end: number): void {
  const layer = to.layer("udpencap", "UDP Encapsulation of IPsec Packets", start, end);
  to.protocol = "UDPENCAP";
  if (end - start === 1 && u8(to.bytes, start) === 0xff) {
    to.info = layer.text = "NAT-keepalive";
    return;
  }
  if (end - start >= 4 && u32(to.bytes, start) === 0) {
    layer.end = start + 4;
    layer.text = `non-ESP marker ${hex(0, 8)}`;
    dissectIsakmp(to, start + 4, end);
    return;
  }
  layer.end = start;
  dissectEsp(to, start, end);
}
