/** Why packets are lost, as the API counts it and as a person reads it. */

/** Counts by cause; a cause may have reasons of its own, and null is a count that is not known. */
export type Lost = Readonly<Record<string, number | null | Readonly<Record<string, number>>>>;

const CAUSES: Readonly<Record<string, string>> = {
  // On the way from the host to the clients.
  ring: "the ring was full",
  truncated: "larger than the driver can read",
  unclaimed: "no client was subscribed",
  queue: "a client's queue was full",
  ended: "still in a client's queue when its connection ended",
  disconnected: "the page was not connected",
  paused: "the table was paused and full",
  // On the way from the clients to the host.
  ring_full: "the send ring was full",
  failed: "a call of the driver failed",
  refused: "the host did not take them",
  link_down: "the link was down",
  host: "the host did not take them",
  rejected: "not IP packets",
  too_short: "shorter than an IP header",
  too_long: "longer than an IP packet can be",
  bad_version: "neither IPv4 nor IPv6",
  // By an impairment, on either way.
  lost: "by chance",
  limit: "the queue was full",
  blackout: "in a blackout",
  too_large: "larger than the largest packet",
  dropped: "still delayed at a change or at the end",
};

/** Return what a cause means; one that a later service may add is its own name. */
export function causeText(cause: string): string {
  return CAUSES[cause] ?? cause.replaceAll("_", " ");
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
  /** Packets that came while no client was there to take them. */
  readonly unclaimed: number;
}

/** Return how many packets were lost in all; what is not known counts as none. */
export function lossSummary(lost: Lost): LossSummary {
  let sum = 0;
  let unclaimed = 0;
  for (const [cause, count] of lossesOf(lost)) {
    if (cause === "unclaimed") unclaimed += count ?? 0;
    else sum += count ?? 0;
  }
  return { lost: sum, unclaimed };
}
