/** NTP (RFC 5905). */

import { u8 } from "./bytes";
import type { Dissection } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";

const FLAGS = "flags:Flags:1x;flags.vn:Version:1&38;flags.mode:Mode:1&7=NTPMODE";
const LEAP = ";flags.li:Leap indicator:1&c0=LEAP";
const CLOCK =
  "stratum:Stratum:1;ppoll:Polling interval:1;:Precision:1_;:Root delay:4_;:Root dispersion:4_;refid:Reference:4o";

export function dissectNtp(to: Dissection, start: number, end: number): void {
  to.protocol = "NTP";
  const first = u8(to.bytes, start);
  const mode = first & 7;
  const name = nameOf("NTPMODE", mode) ?? "";
  const version = (first >> 3) & 7;
  const layer = to.layer("ntp", "Network Time Protocol", start, end);
  layer.text = `version ${version}, ${name}`;
  to.info = `NTP Version ${version}, ${name}`;
  lay(to, layer, "ntp", start, end, mode === 7 ? FLAGS : FLAGS + LEAP);
  // Control and private messages look different.
  if (mode >= 6) return;
  lay(to, layer, "ntp", start + 1, end, CLOCK);
  if (end < start + 48) to.spoil("The message ends inside its header", start, end);
}
