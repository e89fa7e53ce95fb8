/** An event as a sentence. */

import type { HoldEvent, ImpairmentStepEvent, ServiceEvent } from "../api/events";
import type { Capture, Recorder, SessionImpairment } from "../api/types";
import { causeText } from "./losses";
import { binary, clock, count, duration } from "./units";

export type Level = "info" | "warning" | "error";

const LOSS_CAUSES = ["lost", "limit", "blackout", "too_large", "dropped"] as const;
const ENDS = {
  request: "was switched off",
  room: "was deleted because another one needed its memory",
  failure: "failed",
} as const;
const DRIVER_LEVELS = { info: "info", warn: "warning", err: "error" } as const;

export function eventLevel(event: ServiceEvent): Level {
  switch (event.type) {
    case "driver.log":
      return DRIVER_LEVELS[event.data.level];
    case "session.failed":
    case "operation.failed":
    case "adapter.create_failed":
    case "capture.failed":
      return "error";
    case "recorder.removed":
      return event.data.reason === "failure" ? "error" : "info";
    case "operation.done":
      return event.data.reboot_required ? "warning" : "info";
    case "audit.change":
      return (event.data.status ?? 500) < 400 ? "info" : "warning";
    case "session.abandoned":
      return event.data.ends === "nothing" ? "info" : "warning";
    case "session.loss":
    case "session.restarted":
    case "impairment.set":
    case "impairment.loss":
    case "impairment.nearly_full":
    case "driver.slow":
      return "warning";
    default:
      return "info";
  }
}

/** `nameOf` gives an adapter's name for its GUID. */
export function eventText(event: ServiceEvent, nameOf: (guid: string) => string): string {
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
    case "session.abandoned":
      return `The last client of adapter ${nameOf(event.data.adapter)} has gone${end(event.data)}.`;
    case "session.rejoined":
      return `A client of adapter ${nameOf(event.data.adapter)} has come back; ${clients(event.data.holders)} now.`;
    case "impairment.set":
      return `Adapter ${nameOf(event.data.adapter)} is impaired: ${event.data.summary}.`;
    case "impairment.step":
      return `The scenario of adapter ${nameOf(event.data.adapter)} is ${place(event.data)}: ${event.data.summary}.`;
    case "impairment.removed":
      return `Adapter ${nameOf(event.data.adapter)} is no longer impaired. ${losses(event.data)}`;
    case "impairment.loss": {
      const { adapter, direction, cause, count: lost } = event.data;
      return `The impairment of adapter ${nameOf(adapter)} lost ${packets(lost, direction)}: ${causeText(cause)}.`;
    }
    case "impairment.nearly_full": {
      const {
        adapter,
        direction,
        packets: delayed,
        bytes,
        limit_packets,
        limit_bytes,
      } = event.data;
      return `The impairment of adapter ${nameOf(adapter)} delays ${packets(delayed, direction)} with ${binary(bytes)}. It drops what exceeds ${count(limit_packets)} packets or ${binary(limit_bytes)}.`;
    }
    case "recorder.set":
      return `The last packets of adapter ${nameOf(event.data.adapter)} are recorded: ${limits(event.data)}.`;
    case "recorder.removed":
      return `The recorder of adapter ${nameOf(event.data.adapter)} ${ENDS[event.data.reason]}. It had ${count(event.data.packets)} packets.`;
    case "capture.started":
      return `Capture ${event.data.name} ${event.data.state === "waiting" ? "waits for its trigger" : "was started"}.`;
    case "capture.triggered":
      return `Capture ${event.data.name} was triggered and runs now.`;
    case "capture.stopped":
    case "capture.failed":
      return `Capture ${event.data.name} ${event.type === "capture.failed" ? "failed" : "has ended"}${because(event.data.detail)}. ${written(event.data)}`;
    case "capture.deleted":
      return `Capture ${event.data.name} was deleted with its files.`;
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

function end({ ends, ends_at }: HoldEvent["data"]): string {
  if (ends === "nothing") return "; nothing ends because of that";
  const when = ends_at === null ? "" : ` at ${clock(new Date(ends_at)).slice(0, 8)}`;
  const what = ends === "session" ? "the session ends" : "the adapter is deleted";
  return `; ${what}${when} if none comes back`;
}

function clients(holders: number): string {
  return holders === 1 ? "one client holds it" : `${count(holders)} clients hold it`;
}

function packets(number: number, direction: string): string {
  return `${count(number)} ${direction} packet${number === 1 ? "" : "s"}`;
}

/** Say where a scenario is: "at step 2 of 5". */
function place({ scenarios }: ImpairmentStepEvent["data"]): string {
  const first = scenarios[0];
  if (first === undefined) return "at another step";
  const { progress, steps } = first;
  if (progress.finished) return "at its end";
  if (progress.step === null) return "before its first step";
  const round = progress.loops > 0 ? `, round ${count(progress.loops + 1)}` : "";
  return `at step ${progress.step + 1} of ${steps}${round}`;
}

/** Say how many packets an impairment has lost. */
function losses({ received, injected }: SessionImpairment): string {
  let lost = 0;
  let offered = 0;
  for (const one of [received, injected]) {
    offered += one.offered.packets + one.duplicated.packets;
    for (const cause of LOSS_CAUSES) lost += one[cause].packets;
  }
  return offered === 0
    ? "No packet came while it was."
    : `It lost ${count(lost)} of ${count(offered)} packets.`;
}

/** Say how much a recorder keeps. */
function limits({ seconds, bytes }: Recorder): string {
  return `up to ${duration(seconds)} in ${binary(bytes)} of memory`;
}

function written({ packets, lost, bytes }: Capture): string {
  const missing = lost === 0 ? "" : `, ${count(lost)} were lost`;
  return `It has ${count(packets)} packets in ${binary(bytes)}${missing}.`;
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
