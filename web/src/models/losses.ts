/** Why packets are lost, as the API counts it and as a person reads it. */

/** Counts by cause; a cause may have reasons of its own, and null is a count that is not known. */
export type Lost = Readonly<Record<string, number | null | Readonly<Record<string, number>>>>;

const CAUSES: Readonly<Record<string, string>> = {
  // On the way from the host to the clients.
  ring: "the ring was full",
  truncated: "too large for the driver to read",
  unclaimed: "no client was connected",
  queue: "a client's queue was full",
  ended: "left in the queue of a client that disconnected",
  disconnected: "the page was not connected",
  paused: "the table was paused and full",
  // On the way from the clients to the host.
  ring_full: "the send ring was full",
  failed: "a driver call failed",
  refused: "the host did not accept them",
  link_down: "the link was down",
  host: "the host did not accept them",
  rejected: "not IP packets",
  too_short: "shorter than an IP header",
  too_long: "longer than an IP packet can be",
  bad_version: "neither IPv4 nor IPv6",
  // By an impairment, on either way.
  lost: "at random",
  limit: "the delay queue was full",
  blackout: "during a blackout",
  too_large: "larger than the impairment allows",
  dropped: "still delayed when the impairment changed or ended",
};

/** Return what a cause means; one that a later service may add is its own name. */
export function causeText(cause: string): string {
  // Events name the reasons of these two behind them.
  const reason = cause.replace(/^(?:refused|rejected)_/, "");
  return CAUSES[cause] ?? CAUSES[reason] ?? cause.replaceAll("_", " ");
}

/** Return the causes one by one, those with reasons of their own as these reasons. */
export function lossesOf(lost: Lost): [cause: string, count: number | null][] {
  return Object.entries(lost).flatMap(([cause, count]) =>
    count !== null && typeof count === "object" ? Object.entries(count) : [[cause, count]],
  ) as [string, number | null][];
}

export interface LossSummary {
  /** Packets that were to go on and did not. */
  readonly lost: number;
  /** Packets that no client was there to take, or that one left in its queue: nothing is wrong. */
  readonly unclaimed: number;
}

/** Return whether packets are gone for this cause because no client wanted them any more. */
export function isNeutral(cause: string): boolean {
  return cause === "unclaimed" || cause === "ended";
}

/** Return how many packets were lost in all; what is not known counts as none. */
export function lossSummary(lost: Lost): LossSummary {
  let sum = 0;
  let unclaimed = 0;
  for (const [cause, count] of lossesOf(lost)) {
    if (isNeutral(cause)) unclaimed += count ?? 0;
    else sum += count ?? 0;
  }
  return { lost: sum, unclaimed };
}
