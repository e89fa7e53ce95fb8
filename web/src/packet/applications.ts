/** Who speaks behind a TCP or UDP header: by port, or by how the bytes begin. */

import { u8 } from "./bytes";
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

/** QUIC (RFC 9000, section 17): its kind of packet; the rest is encrypted. */
function dissectQuic(to: Dissection, start: number, end: number): void {
  const first = u8(to.bytes, start);
  const kinds = ["Initial", "0-RTT", "Handshake", "Retry"];
  const layer = to.layer("quic", "QUIC", start, end);
  to.protocol = "QUIC";
  to.info = layer.text = first & 0x80 ? (kinds[(first >> 4) & 3] ?? "") : "Protected Payload (KP0)";
}
