/** Bytes to layers of fields. Nothing is refused: what is broken, cut or unknown is said. */

import { dissectRouting } from "./banners";
import { u8 } from "./bytes";
import { Dissection, type Dissector } from "./dissection";
import { dissectEsp, greDissector } from "./gre";
import { icmpDissector } from "./icmp";
import { icmpv6Dissector } from "./icmpv6";
import { dissectIgmp } from "./igmp";
import { dissectIpv4, dissectIpv6 } from "./ip";
import { nameOf } from "./names";
import { dissectSctp } from "./sctp";
import { dissectTcp } from "./tcp";
import { portsDissector } from "./transport";
import { dissectUdp, dissectUdpLite } from "./udp";

const UPPER: Readonly<Record<number, Dissector>> = {
  1: icmpDissector(quoted),
  2: dissectIgmp,
  4: dissectIp,
  6: dissectTcp,
  17: dissectUdp,
  33: portsDissector("DCCP"),
  41: dissectIp,
  58: icmpv6Dissector(quoted),
  47: greDissector(carried),
  50: dissectEsp,
  89: (to, start, end) => dissectRouting(to, 89, start, end),
  103: (to, start, end) => dissectRouting(to, 103, start, end),
  112: (to, start, end) => dissectRouting(to, 112, start, end),
  132: dissectSctp,
  136: dissectUdpLite,
};

/**
 * Decode a packet. Never throws.
 *
 * `bytes` are the captured ones; `originalLength` is that of the packet before it was cut. The first
 * `begins` bytes that TCP carries go on with a message or record of an earlier segment.
 */
export function decode(bytes: Uint8Array, originalLength = bytes.length, begins = 0): Dissection {
  const to = new Dissection(bytes, originalLength, begins);
  to.run(dissectIp, 0, bytes.length);
  return to;
}

function dissectIp(to: Dissection, start: number, end: number): void {
  if (!to.enter(start, end)) return;
  const version = u8(to.bytes, start) >> 4;
  if (start < end && version === 4) dissectIpv4(to, start, end, upper);
  else if (start < end && version === 6) dissectIpv6(to, start, end, upper);
  else {
    to.protocol ||= start < end ? "Unknown" : "";
    to.info = start < end ? `Not IP: version ${version}` : "Empty";
    to.data(start, end);
  }
}

function upper(protocol: number): Dissector {
  return (
    UPPER[protocol] ??
    ((to, start, end) => {
      const name = nameOf("IP", protocol);
      if (name !== undefined && !name.includes(" ")) to.protocol = name;
      to.info = `${name ?? "Unknown"} (${protocol})`;
      to.data(start, end);
    })
  );
}

/** Decode the packet that GRE carries; the addresses of the row stay those of the tunnel. */
function carried(to: Dissection, start: number, end: number): void {
  const { source, destination, protocol, promised, goal, fragment } = to;
  to.run(dissectIp, start, end);
  const info = `Encapsulated ${to.protocol}: ${to.info}`;
  Object.assign(to, { source, destination, protocol, info, promised, goal, fragment });
}

/** Decode the packet that an error carries; the line for the table stays that of the error. */
function quoted(to: Dissection, start: number, end: number): void {
  if (start >= end) return;
  const { source, destination, protocol, info, promised, quoting, goal, fragment } = to;
  to.quoting = true;
  to.run(dissectIp, start, end);
  Object.assign(to, { source, destination, protocol, info, promised, quoting, goal, fragment });
}
