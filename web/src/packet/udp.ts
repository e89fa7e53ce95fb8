/** UDP (RFC 768). */

import { u16 } from "./bytes";
import { addChecksum, addNoChecksum, bytesText, type Dissection } from "./dissection";
import { addPorts, cut, ipHeader, isFragment, payload, transportChecksum } from "./transport";

export function dissectUdp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "UDP";
  if (cut(to, "udp", "UDP", start, end, 8)) return;
  const layer = to.layer("udp", "User Datagram Protocol", start, start + 8);
  const [source, destination] = addPorts(layer, "udp", bytes, start);
  const ip = ipHeader(to);
  if (ip === undefined) return;
  const six = ip.name === "ipv6";
  const claimed = u16(bytes, start + 4);
  // The rest of a fragmented datagram is in other packets.
  const room = isFragment(to, ip) ? Math.max(claimed, to.promised - start) : to.promised - start;
  // RFC 2675: 0 in a jumbogram; segmentation offload leaves it, and the length of IPv4, 0 too.
  const length = claimed || (six || u16(bytes, ip.start + 2) === 0 ? room : 0);
  const size = Math.min(length, room) - 8;
  const text = `${claimed} bytes${length > room ? `, but the IP packet has ${room}` : ""}`;
  layer.add("udp.length", "Length", start + 4, start + 6, claimed, text);
  const wrong =
    length < 8
      ? ` [BAD UDP LENGTH ${length} < 8]`
      : length > room
        ? ` [BAD UDP LENGTH ${length} > IP PAYLOAD LENGTH ${room}]`
        : "";
  const stop = start + 8 + size;
  const found = u16(bytes, start + 6);
  let said = "";
  // RFC 768: 0 says that there is no checksum, which RFC 8200, section 8.1, forbids.
  if (found === 0) {
    addNoChecksum(layer, "udp", start + 6, !six);
    if (six) said = " [ILLEGAL CHECKSUM (0)]";
  } else {
    let expected = wrong ? null : transportChecksum(to, 17, start, end, 6, stop);
    if (expected === 0) expected = 0xffff;
    addChecksum(layer, "udp", start + 6, found, expected);
    if (expected !== null && expected !== found) said = " [UDP CHECKSUM INCORRECT]";
  }
  to.info = `${source} → ${destination}${wrong}`;
  layer.text = to.info;
  if (wrong) to.spoil(wrong.slice(2, -1), start, end, false);
  if (length < 8) return;
  layer.text = `${source} → ${destination}, ${bytesText(size)}`;
  if (wrong) layer.text += ` (the header claims ${length - 8})`;
  to.info += ` Len=${size}${said}`;
  // What lies behind a wrong length may be anything, and the row should tell of the length.
  const rest = Math.min(end, stop);
  if (wrong) to.data(start + 8, rest);
  else payload(to, "udp", source, destination, start + 8, rest);
}

/** UDP-Lite (RFC 3828): the checksum may cover the first bytes only. */
export function dissectUdpLite(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "UDP-Lite";
  if (cut(to, "udplite", "UDP-Lite", start, end, 8, "udp")) return;
  const layer = to.layer("udplite", "Lightweight User Datagram Protocol", start, start + 8);
  const [source, destination] = addPorts(layer, "udp", bytes, start);
  const claimed = u16(bytes, start + 4);
  layer.add("udp.checksum_coverage", "Bytes covered", start + 4, start + 6, claimed);
  const covered = claimed === 0 ? end : Math.min(end, start + claimed);
  const bad = claimed > 0 && (claimed < 8 || start + claimed > end);
  let expected = bad ? null : transportChecksum(to, 136, start, end, 6, covered, end);
  if (expected === 0) expected = 0xffff;
  addChecksum(layer, "udp", start + 6, u16(bytes, start + 6), expected);
  to.info = `${source} → ${destination} Len=${to.promised - start - 8}`;
  layer.text = to.info;
  to.data(start + 8, end);
}
