/** How an adapter is not as it was requested, in words. */

import type { Adapter, Route } from "../api/types";
import { routeLine } from "./rules";

const SETTINGS: Readonly<Record<string, string>> = {
  name: "name",
  mtu: "MTU",
  metric: "metric",
  addresses: "addresses",
  routes: "routes",
  dns: "DNS servers",
  dns_search: "search domains",
};

/** Entries that are named where there are many. */
const NAMED = 3;

type Settings = readonly (readonly [name: string, value: string])[];

export interface Deviation {
  /** A sentence about the link; "" while it is as requested. */
  readonly link: string;
  /** What was requested and is not so. */
  readonly notSet: Settings;
  /** What is there although it was not requested. */
  readonly extra: Settings;
  /** What of it a restoration removes, in words; "" for nothing. */
  readonly removed: string;
}

/** Return how an adapter differs from what was requested; of lists, only the entries that do. */
export function deviation(
  { difference }: Pick<Adapter, "difference">,
  wanted: NonNullable<Adapter["wanted"]>,
): Deviation {
  const missing = entriesOf(difference?.missing);
  const single = Object.entries(wanted).filter(
    // Where it is not told which entries of a list differ, the whole list is what is missing.
    ([name, value]) => name !== "link_up" && !(difference !== null && Array.isArray(value)),
  );
  const { link_up: link } = wanted as { readonly link_up?: boolean | null };
  return {
    link:
      link === undefined || link === null
        ? ""
        : link
          ? "The link is down, but was requested to be up."
          : "The link is up, but was requested to be down.",
    notSet: [...told(single), ...told(missing)],
    extra: told(entriesOf(difference?.extra)),
    removed: removedText(entriesOf(difference?.extra).flatMap(([, value]) => value)),
  };
}

/** Name a few of the entries, and count the others. */
function removedText(entries: readonly unknown[]): string {
  const rest = entries.length - NAMED;
  const texts = entries.slice(0, rest > 1 ? NAMED : undefined).map(entryText);
  if (rest > 1) texts.push(`${rest} others`);
  const last = texts.pop() ?? "";
  return texts.length === 0 ? last : `${texts.join(", ")} and ${last}`;
}

function entriesOf(members: object | undefined): [string, unknown[]][] {
  return Object.entries(members ?? {}).filter(
    ([, value]) => Array.isArray(value) && value.length > 0,
  );
}

function entryText(entry: unknown): string {
  return typeof entry === "string" ? entry : routeLine(entry as Route);
}

function told(settings: readonly [string, unknown][]): Settings {
  return settings.map(([name, value]) => [
    SETTINGS[name] ?? name.replaceAll("_", " "),
    textOf(value),
  ]);
}

function textOf(value: unknown): string {
  if (value === null) return "automatic";
  return Array.isArray(value) ? value.map(entryText).join(", ") || "none" : String(value);
}
