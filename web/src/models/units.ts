/** Numbers with their units, in few characters, and never apart from each other on two lines. */

/** A space that no line breaks at. */
const NBSP = "\u00a0";
const STEPS = ["", "k", "M", "G", "T"];

/** 1234567 → "1.23 M"; the unit follows. */
export function scaled(value: number, unit: string): string {
  let step = 0;
  let rest = Math.abs(value);
  while (rest >= 999.5 && step < STEPS.length - 1) {
    rest /= 1000;
    step++;
  }
  const digits =
    step === 0
      ? rest < 10 && !Number.isInteger(rest)
        ? 1
        : 0
      : rest < 9.995
        ? 2
        : rest < 99.95
          ? 1
          : 0;
  return `${value < 0 ? "−" : ""}${rest.toFixed(digits)}${NBSP}${STEPS[step]}${unit}`.trimEnd();
}

/** 4194304 → "4 MiB". */
export function binary(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** step;
  return `${Number.isInteger(value) ? value : value.toFixed(1)}${NBSP}${units[step]}`;
}

export function count(value: number): string {
  return value.toLocaleString("en");
}

/** Seconds → "2 d 3 h", "4 min 5 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: readonly [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first < 0 ? 3 : first, first < 0 ? 4 : first + 2)
    .filter(([value], index) => index === 0 || value > 0)
    .map(([value, unit]) => `${value}${NBSP}${unit}`)
    .join(" ");
}

/** A time of day to the millisecond, in the browser's zone. */
export function clock(time: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}

/** A time of today, or with its date. */
export function momentText(at: string, now = new Date()): string {
  const moment = new Date(at);
  const time = clock(moment).slice(0, 8);
  if (moment.toDateString() === now.toDateString()) return time;
  const year = moment.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return `${moment.toLocaleDateString("en-GB", { day: "numeric", month: "short", year })} ${time}`;
}
