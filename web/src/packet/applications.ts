/** Who speaks behind a TCP or UDP header: by port, or by how the bytes begin. */

import { u8, u24 } from "./bytes";
import { dissectDhcp } from "./dhcp";
import type { Dissection, Dissector } from "./dissection";
import { dissectDnsOverTcp, dnsDissector } from "./dns";
import { dissectHttp, isHttp } from "./http";
import { dissectNtp } from "./ntp";
import { dissectTls, isTls } from "./tls";

const UDP_PORTS: Readonly<Record<number, Dissector>> = {
  53: dnsDissector("DNS"),
  67: dissectDhcp,
  68: dissectDhcp,
  123: dissectNtp,
  443: dissectQuic,
  5353: dnsDissector("MDNS"),
  5355: dnsDissector("LLMNR"),
};

/** Return the dissector of the bytes from `start` to `end`, undefined when nobody knows them. */
export function application(
  transport: "tcp" | "udp",
  source: number,
  destination: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): Dissector | undefined {
  if (transport === "udp") return UDP_PORTS[destination] ?? UDP_PORTS[source];
  if (source === 53 || destination === 53) return dissectDnsOverTcp;
  if (isTls(bytes, start, end)) return dissectTls;
  if (isHttp(bytes, start, end)) return dissectHttp;
  return undefined;
}

/** QUIC (RFC 9000, section 17): the rest is encrypted. */
function dissectQuic(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  const first = u8(bytes, start);
  to.protocol = "QUIC";
  const layer = to.layer("quic", "QUIC", start, end);
  if ((first & 0x80) === 0) {
    to.info = "Protected Payload (KP0)";
    layer.text = "short header, protected payload";
    layer.add("quic.header_form", "Header form", start, start + 1, 0, "short");
    return;
  }
  const kind = ["Initial", "0-RTT", "Handshake", "Retry"][(first >> 4) & 3] ?? "";
  layer.add("quic.header_form", "Header form", start, start + 1, 1, "long");
  const version = u24(bytes, start + 1) * 256 + u8(bytes, start + 4);
  layer.add(
    "quic.version",
    "Version",
    start + 1,
    start + 5,
    version,
    `0x${version.toString(16).padStart(8, "0")}`,
  );
  const size = u8(bytes, start + 5);
  const id = Array.from(bytes.subarray(start + 6, start + 6 + size));
  const text = id.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  layer.add("quic.dcid", "Destination connection", start + 6, start + 6 + size, text);
  layer.text = kind;
  to.info = `${kind}, DCID=${text}`;
}
