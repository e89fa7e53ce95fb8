/** How an adapter is not as it was requested, in words. */

import type { Adapter } from "../api/types";
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

type Settings = readonly (readonly [name: string, value: string])[];

export interface Deviation {
  /** A sentence about the link; "" while it is as requested. */
  readonly link: string;
  /** What was requested and is not so. */
  readonly notSet: Settings;
  /** What is there although it was not requested. */
  readonly extra: Settings;
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
          ? "The link is down; it was requested up."
          : "The link is up; it was requested down.",
    notSet: [...told(single), ...told(missing)],
    extra: told(entriesOf(difference?.extra)),
  };
}

function entriesOf(members: object | undefined): [string, unknown][] {
  return Object.entries(members ?? {}).filter(
    ([, value]) => Array.isArray(value) && value.length > 0,
  );
}

function told(settings: readonly [string, unknown][]): Settings {
  return settings.map(([name, value]) => [
    SETTINGS[name] ?? name.replaceAll("_", " "),
    textOf(value),
  ]);
}

function textOf(value: unknown): string {
  if (value === null) return "automatic";
  return Array.isArray(value)
    ? value.map((one) => (typeof one === "string" ? one : routeLine(one))).join(", ") || "none"
    : String(value);
}
