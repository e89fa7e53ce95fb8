/** NTP (RFC 5905). */

import { u8, u32 } from "./bytes";
import { type Dissection, SHORT } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";

const FLAGS = "flags:Flags:1x;flags.vn:Version:1&38;flags.mode:Mode:1&7=NTPMODE";
const LEAP = ";flags.li:Leap indicator:1&c0=LEAP";
const CLOCK =
  "stratum:Stratum:1;ppoll:Polling interval:1;:Precision:1_;:Root delay:4_;:Root dispersion:4_;refid:Reference:4o";

const TIMES = [
  ["reftime", "Clock was set"],
  ["org", "Request was sent"],
  ["rec", "Request was received"],
  ["xmt", "This was sent"],
] as const;
/** Seconds from 1900, and from 1968 (RFC 4330, section 3), to 1970. */
const TO_1970 = 2_208_988_800;
const AGAIN = 2 ** 32;

/** Return a time as Wireshark writes it. */
function timeText(seconds: number, fraction: number): string {
  if (seconds === 0 && fraction === 0) return "NULL";
  const since = seconds - TO_1970 + (seconds < 0x80000000 ? AGAIN : 0);
  const [, , day, month, year, time] =
    /^(\w+), 0?(\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(since * 1000).toUTCString()) ?? [];
  const nanoseconds = Math.floor((fraction / AGAIN) * 1e9);
  return `${month} ${day?.padStart(2)}, ${year} ${time}.${String(nanoseconds).padStart(9, "0")} UTC`;
}

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
  if (end < start + 48) throw SHORT;
  for (const [index, [name, label]] of TIMES.entries()) {
    const at = start + 16 + 8 * index;
    const text = timeText(u32(to.bytes, at), u32(to.bytes, at + 4));
    layer.add(`ntp.${name}`, label, at, at + 8, text);
  }
}
