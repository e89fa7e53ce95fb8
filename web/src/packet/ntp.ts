/** NTP (RFC 5905). */

import { u8 } from "./bytes";
import { addNumber, type Dissection } from "./dissection";

const MODES: Readonly<Record<number, string>> = { 3: "client", 4: "server" };

export function dissectNtp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "NTP";
  if (end - start < 48) {
    to.truncated("ntp", "NTP", start);
    return;
  }
  const layer = to.layer("ntp", "Network Time Protocol", start, end);
  const first = u8(bytes, start);
  const mode = MODES[first & 7] ?? `mode ${first & 7}`;
  const version = (first >> 3) & 7;
  layer.add("ntp.flags.vn", "Version", start, start + 1, version);
  layer.add("ntp.flags.mode", "Mode", start, start + 1, first & 7, mode);
  addNumber(layer, "ntp.stratum", "Stratum", u8, bytes, start + 1, 1);
  layer.text = `version ${version}, ${mode}`;
  to.info = `NTP Version ${version}, ${mode}`;
}
