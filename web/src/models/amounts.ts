/** Sizes and durations as people type them: "64 MiB", "10 min". */

import { numberOf } from "./numbers";

const SIZES: ReadonlyMap<string, number> = new Map([
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
  ["tib", 2 ** 40],
]);
const DURATIONS: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["min", 60],
  ["h", 3600],
  ["d", 86400],
]);

/** Return bytes, null for what is no size. A number alone is one of MiB. */
export function parseSize(text: string): number | null {
  const bytes = amountOf(text, SIZES, "mib");
  return bytes === null ? null : Math.round(bytes);
}

/** Return seconds, null for what is no duration. A number alone is one of seconds. */
export function parseDuration(text: string): number | null {
  return amountOf(text, DURATIONS, "s");
}

function amountOf(text: string, units: ReadonlyMap<string, number>, bare: string): number | null {
  const [, digits = "", unit = ""] = /^\s*([\d.,]+)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = units.get(unit.toLowerCase() || bare);
  const amount = numberOf(digits) * (factor ?? Number.NaN);
  return Number.isNaN(amount) ? null : amount;
}
