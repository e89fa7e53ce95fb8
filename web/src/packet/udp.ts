/** UDP (RFC 768). */

import { u16 } from "./bytes";
import { addChecksum, addNoChecksum, type Dissection } from "./dissection";
import { addPorts, payload, transportChecksum } from "./transport";

export function dissectUdp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "UDP";
  if (end - start < 8) {
    to.truncated("udp", "UDP", start);
    return;
  }
  const layer = to.layer("udp", "User Datagram Protocol", start, start + 8);
  const [source, destination] = addPorts(layer, "udp", bytes, start);
  const length = u16(bytes, start + 4);
  layer.add("udp.length", "Length", start + 4, start + 6, length, `${length} bytes`);
  // RFC 2675: 0 in a jumbogram.
  const promised = length === 0 ? to.promised : Math.min(to.promised, start + length);
  const found = u16(bytes, start + 6);
  // RFC 768: 0 says that there is no checksum.
  const whole = promised === to.promised && found !== 0;
  let expected = whole ? transportChecksum(to, 17, start, end, 6) : null;
  if (expected === 0) expected = 0xffff;
  if (found === 0) addNoChecksum(layer, "udp", start + 6);
  else addChecksum(layer, "udp", start + 6, found, expected);
  if (length !== 0 && length < 8) {
    to.info = `BAD UDP LENGTH ${length} < 8`;
    layer.text = `bad length ${length}`;
    return;
  }
  const size = (length === 0 ? promised - start : length) - 8;
  layer.text = `${source} → ${destination}, ${size} bytes`;
  const wrong = expected !== null && expected !== found;
  to.info = `${source} → ${destination} Len=${size}${wrong ? " [UDP CHECKSUM INCORRECT]" : ""}`;
  payload(to, "udp", source, destination, start + 8, Math.min(end, promised));
}
