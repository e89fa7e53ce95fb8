/** Who speaks behind a TCP or UDP header: by port, or by how the bytes begin. */

import { dissectDhcp } from "./dhcp";
import { dissectDhcpv6 } from "./dhcpv6";
import type { Dissector } from "./dissection";
import { DNS_TITLE, dissectDnsOverTcp, dnsDissector } from "./dns";
import { httpDissector, isHttp } from "./http";
import { dissectNbns } from "./nbns";
import { dissectNtp } from "./ntp";
import { dissectQuic, isQuic } from "./quic";
import { dissectTls, isTls } from "./tls";

/** By UDP port; the names are those of the layers. */
const UDP_PORTS: Readonly<Record<number, string>> = {
  53: "dns",
  67: "dhcp",
  68: "dhcp",
  123: "ntp",
  137: "nbns",
  546: "dhcpv6",
  547: "dhcpv6",
  1900: "ssdp",
  5353: "mdns",
  5355: "llmnr",
};

const DISSECTORS: Readonly<Record<string, Dissector>> = {
  dns: dnsDissector("DNS", DNS_TITLE),
  mdns: dnsDissector("MDNS", "Multicast Domain Name System"),
  llmnr: dnsDissector("LLMNR", "Link-local Multicast Name Resolution"),
  dhcp: dissectDhcp,
  dhcpv6: dissectDhcpv6,
  http: httpDissector("HTTP", "Hypertext Transfer Protocol"),
  nbns: dissectNbns,
  ntp: dissectNtp,
  quic: dissectQuic,
  ssdp: httpDissector("SSDP", "Simple Service Discovery Protocol"),
  tls: dissectTls,
};

/**
 * Return the name of the layer that the bytes from `start` to `end` are, "" when nobody knows
 * them. Looks at a few bytes only, and is true of what `decode` shows.
 */
export function application(
  transport: "tcp" | "udp",
  source: number,
  destination: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  if (start >= end) return "";
  if (transport === "udp") {
    const known = UDP_PORTS[destination] ?? UDP_PORTS[source];
    if (known !== undefined) return known;
    return isQuic(bytes, start, end, source === 443 || destination === 443) ? "quic" : "";
  }
  if (source === 53 || destination === 53) return "dns";
  if (isTls(bytes, start, end)) return "tls";
  return isHttp(bytes, start, end) ? "http" : "";
}

/** Return the dissector of such a layer. */
export function applicationDissector(
  name: string,
  transport: "tcp" | "udp",
): Dissector | undefined {
  return name === "dns" && transport === "tcp" ? dissectDnsOverTcp : DISSECTORS[name];
}
