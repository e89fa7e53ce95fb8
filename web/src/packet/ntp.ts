/** NTP (RFC 5905). */

import { u8, u32 } from "./bytes";
import { addNumber, type Dissection } from "./dissection";

const MODES = [
  "reserved",
  "symmetric active",
  "symmetric passive",
  "client",
  "server",
  "broadcast",
  "control",
  "private",
];
const SECONDS_TO_1970 = 2208988800;

export function dissectNtp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "NTP";
  if (end - start < 48) {
    to.truncated("ntp", "NTP", start);
    return;
  }
  const layer = to.layer("ntp", "Network Time Protocol", start, end);
  const first = u8(bytes, start);
  const mode = MODES[first & 7] ?? "";
  const version = (first >> 3) & 7;
  layer.add("ntp.flags.vn", "Version", start, start + 1, version);
  layer.add("ntp.flags.mode", "Mode", start, start + 1, first & 7, mode);
  addNumber(layer, "ntp.stratum", "Stratum", u8, bytes, start + 1, 1);
  for (const [at, label] of TIMES) {
    const seconds = u32(bytes, start + at);
    const text =
      seconds === 0 ? "not set" : new Date((seconds - SECONDS_TO_1970) * 1000).toISOString();
    layer.add(
      `ntp.${label}`,
      TIME_LABELS[label] ?? label,
      start + at,
      start + at + 8,
      seconds,
      text,
    );
  }
  layer.text = `version ${version}, ${mode}`;
  to.info = `NTP Version ${version}, ${mode}`;
}

const TIMES = [
  [16, "reftime"],
  [24, "org"],
  [32, "rec"],
  [40, "xmt"],
] as const;
const TIME_LABELS: Readonly<Record<string, string>> = {
  reftime: "Reference time",
  org: "Origin time",
  rec: "Receive time",
  xmt: "Transmit time",
};
