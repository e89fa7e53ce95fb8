/** Numbers and their names, as Wireshark writes them. */

export const IP_PROTOCOLS: Readonly<Record<number, string>> = {
  0: "IPv6 Hop-by-Hop Option",
  1: "ICMP",
  2: "IGMP",
  4: "IPIP",
  6: "TCP",
  17: "UDP",
  33: "DCCP",
  41: "IPv6",
  43: "Routing Header for IPv6",
  44: "Fragment Header for IPv6",
  46: "RSVP",
  47: "GRE",
  50: "ESP",
  51: "AH",
  58: "ICMPv6",
  59: "IPv6 no next header",
  60: "Destination Options for IPv6",
  89: "OSPF",
  103: "PIM",
  112: "VRRP",
  115: "L2TP",
  132: "SCTP",
  135: "Mobility",
  136: "UDPLite",
  139: "HIP",
  140: "Shim6",
};

export function protocolName(protocol: number): string {
  return IP_PROTOCOLS[protocol] ?? "Unknown";
}

export const ICMP_TYPES: Readonly<Record<number, string>> = {
  0: "Echo (ping) reply",
  3: "Destination unreachable",
  4: "Source quench",
  5: "Redirect",
  8: "Echo (ping) request",
  9: "Router advertisement",
  10: "Router solicitation",
  11: "Time-to-live exceeded",
  12: "Parameter problem",
  13: "Timestamp request",
  14: "Timestamp reply",
};

export const ICMP_CODES: Readonly<Record<number, readonly string[]>> = {
  3: [
    "Network unreachable",
    "Host unreachable",
    "Protocol unreachable",
    "Port unreachable",
    "Fragmentation needed",
    "Source route failed",
    "Network unknown",
    "Host unknown",
    "Source host isolated",
    "Network administratively prohibited",
    "Host administratively prohibited",
    "Network unreachable for TOS",
    "Host unreachable for TOS",
    "Communication administratively filtered",
    "Host precedence violation",
    "Precedence cutoff in effect",
  ],
  5: [
    "Redirect for network",
    "Redirect for host",
    "Redirect for TOS and network",
    "Redirect for TOS and host",
  ],
  11: ["Time to live exceeded in transit", "Fragment reassembly time exceeded"],
  12: ["Pointer indicates the error", "Required option missing", "Bad length"],
};

export const ICMPV6_TYPES: Readonly<Record<number, string>> = {
  1: "Destination Unreachable",
  2: "Packet Too Big",
  3: "Time Exceeded",
  4: "Parameter Problem",
  128: "Echo (ping) request",
  129: "Echo (ping) reply",
  130: "Multicast Listener Query",
  131: "Multicast Listener Report",
  132: "Multicast Listener Done",
  133: "Router Solicitation",
  134: "Router Advertisement",
  135: "Neighbor Solicitation",
  136: "Neighbor Advertisement",
  137: "Redirect",
  143: "Multicast Listener Report Message v2",
};

export const ICMPV6_CODES: Readonly<Record<number, readonly string[]>> = {
  1: [
    "no route to destination",
    "Administratively prohibited",
    "Beyond scope of source address",
    "Address unreachable",
    "Port unreachable",
    "Source address failed ingress/egress policy",
    "Reject route to destination",
  ],
  3: ["hop limit exceeded in transit", "fragment reassembly time exceeded"],
  4: [
    "erroneous header field encountered",
    "unrecognized Next Header type encountered",
    "unrecognized IPv6 option encountered",
  ],
};

export const DNS_TYPES: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  12: "PTR",
  13: "HINFO",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
  35: "NAPTR",
  41: "OPT",
  43: "DS",
  46: "RRSIG",
  47: "NSEC",
  48: "DNSKEY",
  64: "SVCB",
  65: "HTTPS",
  99: "SPF",
  252: "AXFR",
  255: "ANY",
};

export const DNS_REPLY_CODES: readonly string[] = [
  "No error",
  "Format error",
  "Server failure",
  "No such name",
  "Not implemented",
  "Refused",
];

/** Ports whose names a person would say; the filter and the ports of a layer show them. */
export const PORT_NAMES: Readonly<Record<number, string>> = {
  22: "ssh",
  53: "domain",
  67: "bootps",
  68: "bootpc",
  80: "http",
  123: "ntp",
  443: "https",
  445: "microsoft-ds",
  546: "dhcpv6-client",
  547: "dhcpv6-server",
  853: "domain-s",
  1900: "ssdp",
  3389: "ms-wbt-server",
  5353: "mdns",
  5355: "llmnr",
  8080: "http-alt",
  51820: "wireguard",
};
