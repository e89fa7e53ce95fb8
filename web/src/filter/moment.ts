/** Points in time as a filter and the decoder write them. */

/** What stands for a time that is not set, as Wireshark writes it: 1900, where NTP begins. */
const UNSET = -2_208_988_800_000_000_000n;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^(.*?\d{1,2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;

/**
 * Return nanoseconds since 1970; undefined for what is no time.
 *
 * `2026-03-14 09:26:53.5` and `Mar 14, 2026 09:26:53.5` are local, with `UTC` or `Z` in that.
 */
export function momentOf(text: string): bigint | undefined {
  if (text === "NULL") return UNSET;
  const [, date = "", part = "", zone = ""] = MOMENT.exec(text) ?? [];
  const day = DAY.test(text) ? `${text} 00:00:00` : date;
  const iso = day.replace(/^(\d{4}-\d{2}-\d{2})\s+/, "$1T").replace(",", "");
  const ms = Date.parse(`${iso}${/^UTC$/i.test(zone) ? "Z" : zone}`);
  if (day === "" || Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt(part.padEnd(9, "0"));
}
