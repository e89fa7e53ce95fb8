/** An event as a sentence. */

import type { ServiceEvent } from "../api/events";

export type Level = "info" | "warning" | "error";

const DRIVER_LEVELS = { info: "info", warn: "warning", err: "error" } as const;

/** What a cause of loss means. */
export const LOSS_CAUSES: Readonly<Record<string, string>> = {
  ring: "the ring was full",
  unclaimed: "nobody was subscribed",
  queue: "a subscriber's queue was full",
  ring_full: "the send ring was full",
  rejected: "they were no IP packets",
};

export function eventLevel(event: ServiceEvent): Level {
  switch (event.type) {
    case "driver.log":
      return DRIVER_LEVELS[event.data.level];
    case "session.failed":
      return "error";
    case "session.loss":
    case "session.restarted":
    case "driver.slow":
      return "warning";
    default:
      return "info";
  }
}

export function eventText(event: ServiceEvent): string {
  switch (event.type) {
    case "adapter.created":
      return `Adapter ${event.data.name} was created in pool ${event.data.pool}.`;
    case "adapter.changed":
      return `Adapter ${event.data.name} changed: ${event.data.state}, ${addresses(event.data.addresses)}.`;
    case "adapter.deleted":
      return `Adapter ${event.data.name} is gone.`;
    case "session.started":
      return `Session ${event.data.id} was started.`;
    case "session.restarted":
      return `Session ${event.data.id} was restarted, as its receive ring was corrupt.`;
    case "session.ended":
      return `Session ${event.data.id} ended${because(event.data.reason)}.`;
    case "session.failed":
      return `Session ${event.data.id} failed${because(event.data.reason)}.`;
    case "session.loss": {
      const { session, count, cause } = event.data;
      return `Session ${session} lost ${count.toLocaleString("en")} packets: ${LOSS_CAUSES[cause] ?? cause}.`;
    }
    case "driver.log":
      return event.data.message;
    case "driver.slow":
      return `${event.data.call} is under way for ${event.data.seconds.toFixed(0)} s.`;
  }
}

function addresses(found: readonly string[]): string {
  return found.length === 0 ? "no address" : found.join(", ");
}

function because(reason: string | null): string {
  return reason === null ? "" : `: ${reason.replace(/\.$/, "")}`;
}
