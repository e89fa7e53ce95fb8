/** A host of a network in words. */

import type { NetworkHost } from "../api/types";
import { count, duration } from "./units";

/** Milliseconds from which a clock is worth a second look. */
export const FAR = 1000;

type Counted = readonly [name: string, number: number];

/** The count that belongs to the losses. */
const UNCOUNTED = "uncounted";

export const STATES: Readonly<Record<NetworkHost["state"], string>> = {
  attached: "joined",
  detached: "its service does not answer",
  unknown: "its report cannot be read",
};

/** All packets that it knows to be lost. */
export function lostCount({ lost = {} }: NetworkHost): number {
  return Object.values(lost).reduce((sum, one) => sum + one, 0);
}

/** How often packets were lost, and it is not known how many. */
export function uncountedTimes({ counts = {} }: NetworkHost): number {
  return counts[UNCOUNTED] ?? 0;
}

/** Why they were lost, the most first: "3 no route, 1 ring; 2 uncounted"; "" if none were. */
export function lostText(host: NetworkHost): string {
  const causes = Object.entries(host.lost ?? {}).sort(([, a], [, b]) => b - a);
  const uncounted: Counted = [UNCOUNTED, uncountedTimes(host)];
  return [listed(causes), listed([uncounted])].filter(Boolean).join("; ");
}

/** What else its agent has counted: "12 unanswered, 3 late"; "" if nothing. */
export function countsText({ counts = {} }: NetworkHost): string {
  return listed(Object.entries(counts).filter(([name]) => name !== UNCOUNTED));
}

/** What it has claimed and another host has: "10.6.7.8/32, 3 more"; "" if nothing. */
export function refusedText({ refused = [], more_refused: more = 0 }: NetworkHost): string {
  return [...refused, listed([["more", more]])].filter(Boolean).join(", ");
}

/** What its report has left out: "3 adapters, 1 address or network"; "" if nothing. */
export function leftOutText(host: NetworkHost): string {
  const { more_adapters: adapters = 0, more_prefixes: prefixes = 0 } = host;
  return listed([
    [adapters === 1 ? "adapter" : "adapters", adapters],
    [prefixes === 1 ? "address or network" : "addresses and networks", prefixes],
  ]);
}

/** How far its clock is from the server's: "1.5 ms ahead". */
export function clockText(offsetMs: number | null | undefined): string {
  if (offsetMs == null) return "unknown";
  const far = Math.abs(offsetMs);
  const amount = far >= FAR ? duration(far / 1000) : `${far.toFixed(far < 10 ? 1 : 0)}\u00a0ms`;
  if (far < 0.05) return "exact";
  return `${amount} ${offsetMs > 0 ? "ahead" : "behind"}`;
}

/** The adapters of its service: "OfficeNet (up), Lab (down)". */
export function adaptersText({ adapters = [] }: NetworkHost): string {
  return adapters.map(({ name, state }) => `${name} (${state})`).join(", ");
}

/** The same with their addresses and what their sessions have carried, an adapter on each line. */
export function adapterLines({ adapters = [] }: NetworkHost): string {
  return adapters
    .map(
      ({ name, state, addresses = [], more_addresses: more = 0, received = 0, injected = 0 }) => {
        const counts: Counted[] = [
          [more === 1 ? "more_address" : "more_addresses", more],
          ["received", received],
          ["injected", injected],
        ];
        return [`${name} (${state})`, ...addresses, listed(counts)].filter(Boolean).join(", ");
      },
    )
    .join("\n");
}

/** Those that are not zero: "3 no route, 1 ring". */
function listed(counts: readonly Counted[]): string {
  return counts
    .filter(([, number]) => number > 0)
    .map(([name, number]) => `${count(number)}\u00a0${name.replaceAll("_", " ")}`)
    .join(", ");
}
