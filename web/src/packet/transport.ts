/** What TCP and UDP share: ports, the checksum, and the way to the application. */

import { applicationDissector } from "./applications";
import { u16, u32 } from "./bytes";
import { checksum, sum } from "./checksum";
import type { Dissection, Dissector, Field } from "./dissection";
import { PORT_NAMES } from "./names";
import { application } from "./sniff";

export function addPorts(
  layer: Field,
  prefix: string,
  bytes: Uint8Array,
  start: number,
): [number, number] {
  const source = u16(bytes, start);
  const destination = u16(bytes, start + 2);
  layer.add(`${prefix}.srcport`, "Source port", start, start + 2, source, portText(source));
  layer.add(
    `${prefix}.dstport`,
    "Destination port",
    start + 2,
    start + 4,
    destination,
    portText(destination),
  );
  return [source, destination];
}

/** Return the dissector of a protocol of which only the ports are shown. */
export function portsDissector(protocol: string): Dissector {
  const name = protocol.toLowerCase();
  return (to, start, end) => {
    to.protocol = protocol;
    if (cut(to, name, protocol, start, end, 4)) return;
    const layer = to.layer(name, protocol, start, end);
    const [source, destination] = addPorts(layer, name, to.bytes, start);
    to.info = layer.text = `${source} → ${destination}`;
  };
}

/** Say whether a header is cut; then it is shown as such, with its ports if they are there. */
export function cut(
  to: Dissection,
  name: string,
  protocol: string,
  start: number,
  end: number,
  least: number,
  /** Of its fields. */
  prefix = name,
): boolean {
  if (end - start >= least) return false;
  const layer = to.truncated(name, protocol, start, end);
  if (end - start >= 4) {
    const [source, destination] = addPorts(layer, prefix, to.bytes, start);
    to.info = `${source} → ${destination} ${to.info}`;
  }
  // The norm of an error (RFC 792) is eight bytes.
  if (name === "tcp" && end - start >= 8) {
    layer.add("tcp.seq_raw", "Sequence number", start + 4, start + 8, u32(to.bytes, start + 4));
  }
  return true;
}

/**
 * Return the checksum that should stand at `start + at`; null where bytes are missing. It covers
 * the bytes up to `stop`, the end of the IP packet unless the header has a length of its own.
 */
export function transportChecksum(
  to: Dissection,
  protocol: number,
  start: number,
  end: number,
  at: number,
  stop = end,
  /** Up to where the pseudo-header counts. */
  last = stop,
): number | null {
  const ip = wholePacket(to, end);
  if (ip === undefined) return null;
  const { bytes } = to;
  const six = ip.name === "ipv6";
  const from = ip.start + (six ? 8 : 12);
  const size = six ? 16 : 4;
  const goal = sum(bytes, to.goal, to.goal + size, protocol + last - start);
  const pseudo = sum(bytes, from, from + size, goal);
  const found = u16(bytes, start + at);
  return checksum(bytes, start, stop, pseudo + 0xffff - found);
}

/** Hand the bytes behind the header to whoever the ports, or the bytes themselves, announce. */
export function payload(
  to: Dissection,
  transport: "tcp" | "udp",
  source: number,
  destination: number,
  start: number,
  end: number,
): void {
  // What a packet quotes says nothing of its own segment.
  const at = Math.min(end, start + (transport === "tcp" && !to.quoting ? to.begins : 0));
  to.data(start, at);
  if (at >= end) return;
  const name = application(transport, source, destination, to.bytes, at, end);
  const known = applicationDissector(name, transport);
  if (known === undefined) to.data(at, end);
  else to.run(known, at, end);
}

/** Return the IP header around an upper layer that is all there, up to `end`. */
export function wholePacket(to: Dissection, end: number): Field | undefined {
  if (to.quoting || end < to.promised) return undefined;
  const ip = ipHeader(to);
  return ip === undefined || isFragment(to, ip) ? undefined : ip;
}

/** Return the IP header that was decoded last. */
export function ipHeader(to: Dissection): Field | undefined {
  return to.layers.findLast((layer) => layer.name === "ip" || layer.name === "ipv6");
}

export function isFragment(to: Dissection, ip: Field): boolean {
  if (ip.name === "ip" && (u16(to.bytes, ip.start + 6) & 0x3fff) !== 0) return true;
  return to.layers.some(
    ({ name, start }) =>
      name === "ipv6.fraghdr" && start > ip.start && (u16(to.bytes, start + 2) & 0xfff9) !== 0,
  );
}

function portText(port: number): string {
  const name = PORT_NAMES[port];
  return name === undefined ? String(port) : `${port} (${name})`;
}
