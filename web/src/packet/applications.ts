/** The dissectors of what is behind a TCP or UDP header. */

import { dissectDtls, dissectHttp2, dissectSmb2, dissectSnmp, dissectSsh } from "./banners";
import { dissectDhcp } from "./dhcp";
import { dissectDhcpv6 } from "./dhcpv6";
import type { Dissector } from "./dissection";
import { DNS_TITLE, dissectDnsOverTcp, dnsDissector } from "./dns";
import { httpDissector } from "./http";
import { dissectIsakmp, dissectUdpEncap } from "./isakmp";
import { dissectNbns } from "./nbns";
import { dissectNtp } from "./ntp";
import { dissectQuic } from "./quic";
import { dissectStun } from "./stun";
import { dissectTls } from "./tls";
import { dissectWireGuard } from "./wireguard";

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
  smb2: dissectSmb2,
  snmp: dissectSnmp,
  stun: dissectStun,
  tls: dissectTls,
  dtls: dissectDtls,
  http2: dissectHttp2,
  isakmp: dissectIsakmp,
  ssh: dissectSsh,
  udpencap: dissectUdpEncap,
  wg: dissectWireGuard,
};

/** Return the dissector of a layer by its name. */
export function applicationDissector(
  name: string,
  transport: "tcp" | "udp",
): Dissector | undefined {
  return name === "dns" && transport === "tcp" ? dissectDnsOverTcp : DISSECTORS[name];
}
