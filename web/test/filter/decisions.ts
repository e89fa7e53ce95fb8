/** Where a filter finds something else than Wireshark 4.0 does, and why that is wanted. */

export interface Decision {
  readonly reason: string;
  readonly filters: readonly string[];
}

export const DECISIONS: readonly Decision[] = [
  {
    reason: "a flag alone means that it is set, as everybody reads it",
    filters: ["tcp.flags.syn"],
  },
  {
    reason: "packets begin with their IP header, so what can never be there is refused",
    filters: ["not arp", "not arp and tcp", "!arp", "arp", "eth.addr == 00:00:5e:00:53:01"],
  },
  { reason: "no port is negative, so the value is refused", filters: ["tcp.port == -1"] },
  {
    reason: "later versions of Wireshark have xor; names of ports and = are known from tcpdump",
    filters: [
      "tcp.port == 80 xor udp",
      "tcp.port == http",
      "ip.dst = 10.6.7.7",
      "tcp.flags.syn = 1",
    ],
  },
  {
    reason: "a segment that only goes on with a body is no HTTP message",
    filters: ["http"],
  },
  {
    reason: "what the tree shows as Data is found, also behind TCP",
    filters: ["data", "data.data", "data.len > 10", "data contains 61:62"],
  },
  {
    reason: "a slice of UDP reaches its payload, as in the example of Wireshark's own manual",
    filters: ["udp[8:2] == 10:00"],
  },
  {
    reason:
      "a first segment without its SYN is no keep-alive, and only the first of several says what is missing",
    filters: ["tcp.analysis.flags"],
  },
  {
    reason:
      "Wireshark's notes are of every SYN, FIN and request, too: what looks wrong has fields of its own",
    filters: ["_ws.expert"],
  },
  {
    reason: "an echo in fragments is not paired, as fragments are not put together",
    filters: ["icmp.resp_in", "icmp.resptime > 0.5"],
  },
  {
    reason: "an encrypted handshake has no type, and is a record",
    filters: ["tls.handshake"],
  },
  {
    reason: "the type of a record is found by both of its names, whatever the version is",
    filters: ["tls.record.opaque_type == 23"],
  },
];

/** Packets of the corpus that the decoder reads otherwise, by their number; no filter is at fault. */
export const PACKETS_APART: readonly {
  readonly reason: string;
  readonly numbers: readonly number[];
}[] = [
  {
    reason: "ICMP errors show all that can be read of the packet that they quote",
    numbers: [241, 400, 401, 403, 404, 405, 406],
  },
  { reason: "ICMP errors that quote what is no whole header show it as data", numbers: [374, 377] },
  { reason: "a checksum of a quoted datagram is not verified", numbers: [148, 152] },
  {
    reason: "a routing header of an unknown type is skipped, and what follows is decoded",
    numbers: [307],
  },
  { reason: "TLS is found on any port and in any segment", numbers: [340] },
  { reason: "a request without the end of its head is a request", numbers: [438] },
  { reason: "QUIC with a short header is known by its port", numbers: [488] },
  { reason: "options beyond a pointer are shown", numbers: [398] },
  {
    reason: "broken headers and names: how much of them is shown before they are called malformed",
    numbers: [384, 469, 470, 475, 476, 477, 479, 480, 481, 490, 491, 495, 465],
  },
];
