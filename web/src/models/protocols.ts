/** The split of traffic by protocol: a few kinds that tell, told apart by numbers and ports. */

import type { Headers } from "../packet/headers";

export const KINDS = [
  "TLS",
  "HTTP",
  "TCP",
  "QUIC",
  "DNS",
  "UDP",
  "ICMP",
  "ICMPv6",
  "Other",
] as const;

/** Return the place in `KINDS` of the packet that `headers` points at. */
export function kindOf(h: Headers): number {
  switch (h.protocol) {
    case 6:
      if (isPort(h, 443) || isPort(h, 853)) return 0;
      if (isPort(h, 80) || isPort(h, 8080)) return 1;
      return isPort(h, 53) ? 4 : 2;
    case 17:
      if (isPort(h, 443)) return 3;
      return isPort(h, 53) || isPort(h, 5353) || isPort(h, 5355) ? 4 : 5;
    case 1:
      return 6;
    case 58:
      return 7;
    default:
      return 8;
  }
}

function isPort(h: Headers, port: number): boolean {
  return h.sourcePort === port || h.destinationPort === port;
}
