/** The numbers of an impairment as a person enters them, and their way to the API and back. */

import type { Impairment } from "../api/types";
import { numberOf, spelling, wholeOf } from "./numbers";

export interface Quantity {
  /** The member of the API's `Impairment`; with a dot, of an object in it. */
  readonly name: string;
  readonly label: string;
  /** What it is called in a sentence, where its label needs the title of its group. */
  readonly words?: string;
  readonly unit: string;
  /** What holds where the field is empty. */
  readonly empty: string;
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
  /** So many of the API's units are one of the field's. */
  readonly factor: number;
  /** The places of the slider after the first one, which empties the field. */
  readonly stops: readonly number[];
  readonly hint?: string;
}

const SHARES = [0.1, 0.2, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100];
const TENTHS = [10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 95, 99];
const TIMES = [1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 2000, 5000];
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000];
const KIB = 1024;
const MIB = KIB * KIB;

function share(name: string, label: string, more: Partial<Quantity> = {}): Quantity {
  const shared = { empty: "0", least: 0, most: 100, whole: false, factor: 0.01, stops: SHARES };
  return { name, label, unit: "%", ...shared, ...more };
}

function correlation(name: string, label: string): Quantity {
  return share(name, label, { words: `${label.toLowerCase()} correlation`, stops: TENTHS });
}

function time(name: string, label: string): Quantity {
  const shared = { empty: "0", least: 0, most: 600_000, whole: false, factor: 1, stops: TIMES };
  return { name, label, unit: "ms", ...shared };
}

function whole(name: string, label: string, unit: string, more: Partial<Quantity>): Quantity {
  const shared = { empty: "0", least: 0, most: 2 ** 30, whole: true, factor: 1, stops: [] };
  return { name, label, unit, ...shared, ...more };
}

/** What is shown at once. */
export const MAIN: readonly Quantity[] = [
  time("delay_ms", "Delay"),
  time("jitter_ms", "Jitter"),
  share("loss", "Loss"),
  share("duplicate", "Duplicate"),
  share("corrupt", "Corrupt"),
  share("reorder", "Reorder", {
    hint: "These packets overtake delayed ones, so set a delay, too.",
  }),
  {
    ...whole("rate_bps", "Rate", "Mbit/s", { empty: "no limit", least: 0.0001, most: 1_000_000 }),
    ...{ whole: false, factor: 1_000_000 },
    stops: [0.064, 0.128, 0.256, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  },
  whole("limit_packets", "Limit", "packets", {
    ...{ empty: "1000", least: 1, most: 1_000_000, stops: COUNTS },
    hint: "Packets that arrive while this many are delayed are dropped.",
  }),
  whole("max_size", "Max size", "bytes", {
    ...{ empty: "no limit", least: 68, most: 65_535 },
    stops: [68, 576, 1000, 1200, 1280, 1400, 1420, 1492, 1500, 9000, 65_535],
    hint: "Larger packets disappear, as in an MTU black hole.",
  }),
];

/** What is needed more rarely, in groups. */
export const MORE: readonly { readonly title: string; readonly fields: readonly Quantity[] }[] = [
  {
    title: "Correlation with the previous packet",
    fields: [
      correlation("delay_correlation", "Delay"),
      correlation("loss_correlation", "Loss"),
      correlation("duplicate_correlation", "Duplicate"),
      correlation("corrupt_correlation", "Corrupt"),
      correlation("reorder_correlation", "Reorder"),
    ],
  },
  {
    title: "Losses in bursts (Gilbert-Elliott), in place of Loss",
    fields: [
      share("gilbert_elliott.p", "Good to bad", { words: "bursts begin", empty: "" }),
      share("gilbert_elliott.r", "Bad to good", { words: "bursts end", empty: "" }),
      share("gilbert_elliott.h", "Delivered while bad", { words: "passed in bursts" }),
      share("gilbert_elliott.k", "Delivered while good", {
        words: "passed between bursts",
        empty: "100",
      }),
    ],
  },
  {
    title: "Queue and link",
    fields: [
      whole("reorder_gap", "Reorder gap", "packets", {
        ...{ empty: "1", least: 1, most: 1_000_000, stops: COUNTS },
      }),
      whole("burst_bytes", "Burst", "bytes", {
        stops: [1500, 3000, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 256 * KIB, MIB],
      }),
      whole("overhead_bytes", "Overhead", "bytes", {
        ...{ least: -64, most: 1500, stops: [4, 8, 14, 18, 20, 28, 38, 48, 66, 100] },
      }),
      whole("limit_bytes", "Limit", "bytes", {
        ...{ empty: "64 MiB", least: 1 },
        stops: [1500, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB, 1024 * MIB],
      }),
    ],
  },
];

export const DISTRIBUTIONS = ["uniform", "normal", "pareto", "paretonormal"] as const;
export const SWITCHES = [
  ["blackout", "Blackout: lose every packet"],
  ["too_big_reply", "Tell the sender when a packet is too large (ICMP)"],
] as const;

export const QUANTITIES: readonly Quantity[] = [...MAIN, ...MORE.flatMap(({ fields }) => fields)];
/** Every field: numbers, the shape of delays, and switches, which are "on" or empty. */
export const NAMES: readonly string[] = [
  ...QUANTITIES.map(({ name }) => name),
  "distribution",
  ...SWITCHES.map(([name]) => name),
];

/** The texts of all fields; an empty one leaves the default. */
export type Texts = Readonly<Record<string, string>>;

export const NOTHING: Texts = Object.fromEntries(NAMES.map((name) => [name, ""]));

/** What the API gives for fields that were left out. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  reorder_gap: 1,
  limit_packets: 1000,
  limit_bytes: 64 * MIB,
  distribution: "uniform",
  "gilbert_elliott.h": 0,
  "gilbert_elliott.k": 1,
};

/** Return what is wrong with the text of a field, "" if nothing is. */
export function wrongOf({ least, most, whole, label, unit }: Quantity, text: string): string {
  const read = whole ? wholeOf : numberOf;
  const value = read(text);
  if (text.trim() === "" || (value >= least && value <= most)) return "";
  const range = `from ${plain(least)} to ${plain(most)} ${unit}`;
  const rule = `${label} must be a ${whole ? "whole number" : "number"} ${range}.`;
  return rule + spelling(text, read);
}

/** Return the request for these texts; null where they are all empty. */
export function impairmentOf(texts: Texts): Impairment | null {
  const body: Record<string, unknown> = {};
  const put = (name: string, value: unknown) => {
    const [member = "", inner] = name.split(".");
    if (inner === undefined) body[member] = value;
    else body[member] = { ...(body[member] as object), [inner]: value };
  };
  for (const { name, factor, whole } of QUANTITIES) {
    const text = texts[name] ?? "";
    if (text.trim() === "") continue;
    const value = numberOf(text) * factor;
    // 2.3 % are 0.023, not 0.022999999999999996; a rate is in whole bits.
    const exact = factor > 1 ? Math.round(value) : Number(value.toPrecision(12));
    put(name, whole ? Math.round(value) : exact);
  }
  if (texts["distribution"]) put("distribution", texts["distribution"]);
  for (const [name] of SWITCHES) if (texts[name]) put(name, true);
  return Object.keys(body).length === 0 ? null : (body as Impairment);
}

/** Return the texts for what the API has. */
export function textsOf(impairment: Impairment | null | undefined): Texts {
  if (impairment == null) return NOTHING;
  const get = (name: string): unknown =>
    name
      .split(".")
      .reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], impairment);
  const texts: Record<string, string> = { ...NOTHING };
  for (const { name, factor, empty } of QUANTITIES) {
    const value = get(name);
    if (typeof value !== "number" || value === (DEFAULTS[name] ?? (empty === "0" ? 0 : null)))
      continue;
    texts[name] = plain(value / factor);
  }
  const shape = get("distribution");
  if (typeof shape === "string" && shape !== DEFAULTS["distribution"])
    texts["distribution"] = shape;
  for (const [name] of SWITCHES) if (get(name) === true) texts[name] = "on";
  return texts;
}

/** Say it in words: "Delay 60 ms, Loss 2 %". */
export function wordsOf(impairment: Impairment | null | undefined): string {
  const texts = textsOf(impairment);
  const words = QUANTITIES.filter(({ name }) => texts[name]).map(
    ({ name, label, words = label.toLowerCase(), unit }) => `${words} ${texts[name]} ${unit}`,
  );
  if (texts["distribution"]) words.push(`${texts["distribution"]} delays`);
  if (texts["blackout"]) words.push("blackout");
  if (texts["too_big_reply"]) words.push("ICMP replies");
  return words.join(", ") || "nothing";
}

/** Return the place of a text on the slider: 0 for an empty one, else that of the largest stop. */
export function placeOf({ stops }: Quantity, text: string): number {
  if (text.trim() === "") return 0;
  const value = numberOf(text);
  return stops.filter((stop) => stop <= value).length;
}

/** Return the text for a place on the slider. */
export function textAt({ stops }: Quantity, place: number): string {
  return place === 0 ? "" : plain(stops[place - 1] ?? 0);
}

function plain(value: number): string {
  return String(Number(value.toPrecision(12)));
}
