/** An event as a sentence. */

import type { ServiceEvent } from "../api/events";
import { causeText } from "./losses";

export type Level = "info" | "warning" | "error";

const DRIVER_LEVELS = { info: "info", warn: "warning", err: "error" } as const;

export function eventLevel(event: ServiceEvent): Level {
  switch (event.type) {
    case "driver.log":
      return DRIVER_LEVELS[event.data.level];
    case "session.failed":
    case "operation.failed":
    case "adapter.create_failed":
      return "error";
    case "operation.done":
      return event.data.reboot_required ? "warning" : "info";
    case "audit.change":
      return (event.data.status ?? 500) < 400 ? "info" : "warning";
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
      return `Adapter ${event.data.name} was deleted.`;
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
      return `Session ${session} lost ${count.toLocaleString("en")} packets: ${causeText(cause)}.`;
    }
    case "operation.done":
      return `${late(event.data, "succeeded")}: ${removed(event.data)} was removed.${event.data.reboot_required ? " Windows needs a reboot to complete this." : ""}`;
    case "operation.failed":
    case "adapter.create_failed":
      return `${late(event.data, "failed")}${because(event.data.problem.detail ?? null)}.`;
    case "driver.log":
      return event.data.message;
    case "driver.slow":
      return `${event.data.call} has been running for ${event.data.seconds.toFixed(0)} s.`;
    case "audit.change": {
      const { who, label, browser, client, operation, method, path, status, count } = event.data;
      const name = label ? `${who} (${label})` : who;
      const times = count > 1 ? `, ${count} times` : "";
      return `Token ${name} asked for ${operation}, ${method} ${path}, ${browser ? "in a browser" : "from a program"} at ${client}: ${status ?? "no answer"}${times}.`;
    }
    default:
      return factsOf((event as { data?: unknown }).data);
  }
}

/** Write down the data of an event that this page does not know: "name: OfficeNet, mtu: 1420". */
function factsOf(data: unknown): string {
  if (typeof data !== "object" || data === null) return String(data ?? "");
  return Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => {
      const text = typeof value === "object" ? JSON.stringify(value) : value;
      return `${name.replaceAll("_", " ")}: ${text}`;
    })
    .join(", ");
}

function late({ operation }: { operation: string }, outcome: string): string {
  return `${operation} ${outcome} after its request was answered with 504`;
}

function removed({ adapter, pool }: { adapter: string | null; pool: string | null }): string {
  if (adapter !== null) return `adapter ${adapter}`;
  return pool === null ? "the driver" : `pool ${pool}`;
}

function addresses(found: readonly string[]): string {
  return found.length === 0 ? "no address" : found.join(", ");
}

function because(reason: string | null): string {
  return reason === null ? "" : `: ${reason.replace(/\.$/, "")}`;
}
