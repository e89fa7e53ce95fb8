/** An event as a sentence. */

import type { AuditEvent, HoldEvent, ImpairmentStepEvent, ServiceEvent } from "../api/events";
import type { Adapter, Capture, Recorder, SessionImpairment } from "../api/types";
import { changesOf } from "./adapter-changes";
import { causeText, isNeutral } from "./losses";
import { binary, clock, count, duration } from "./units";
import { plainName } from "./visible";

export type Level = "info" | "warning" | "error";

const LOSS_CAUSES = ["lost", "limit", "blackout", "too_large", "dropped"] as const;
const ENDS = {
  request: "was switched off",
  room: "was deleted because another recording needed the memory",
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
      return isNeutral(event.data.cause) ? "info" : "warning";
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

/**
 * `nameOf` gives an adapter's name for its GUID, `before` is how a changed adapter was, and
 * `adapterOf` gives the GUID of a session's adapter, "" for one that is not known.
 */
export function eventText(
  event: ServiceEvent,
  nameOf: (guid: string) => string,
  before?: Adapter,
  adapterOf: (session: string) => string = () => "",
): string {
  switch (event.type) {
    case "adapter.created":
      return `Adapter ${nameOf(event.data.guid)} was created in pool ${plainName(event.data.pool)}.`;
    case "adapter.changed":
      return `Adapter ${nameOf(event.data.guid)} changed: ${changeText(before, event.data)}.`;
    case "adapter.deleted":
      return `Adapter ${nameOf(event.data.guid)} was deleted.`;
    case "session.started":
      return `Session on ${nameOf(event.data.adapter)} started.`;
    case "session.restarted":
      return `Session on ${nameOf(event.data.adapter)} was restarted because its receive ring was corrupt.`;
    case "session.ended":
      return `Session on ${nameOf(event.data.adapter)} ended${because(event.data.reason)}.`;
    case "session.failed":
      return `Session on ${nameOf(event.data.adapter)} failed${because(event.data.reason)}.`;
    case "session.loss": {
      const { adapter, count: lost, cause } = event.data;
      const verb = isNeutral(cause) ? "discarded" : "lost";
      return `Session on ${nameOf(adapter)} ${verb} ${packets(lost)}: ${causeText(cause)}.`;
    }
    case "session.abandoned":
      return `The last client of adapter ${nameOf(event.data.adapter)} disconnected${end(event.data)}.`;
    case "session.rejoined":
      return `A client of adapter ${nameOf(event.data.adapter)} is back; ${clients(event.data.holders)} now.`;
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
      return `The impairment of adapter ${nameOf(adapter)} is holding ${packets(delayed, direction)} (${binary(bytes)}) in its delay queue. Beyond ${count(limit_packets)} packets or ${binary(limit_bytes)}, it drops packets.`;
    }
    case "recorder.set":
      return `Recording on ${nameOf(event.data.adapter)} started: ${limits(event.data)}.`;
    case "recorder.removed":
      return `Recording on ${nameOf(event.data.adapter)} ${ENDS[event.data.reason]}. It held ${packets(event.data.packets)}.`;
    case "capture.started":
      return `Capture ${plainName(event.data.name)} ${event.data.state === "waiting" ? "is waiting for its trigger" : "started"}.`;
    case "capture.triggered":
      return `Capture ${plainName(event.data.name)} was triggered and is running.`;
    case "capture.stopped":
    case "capture.failed":
      return `Capture ${plainName(event.data.name)} ${event.type === "capture.failed" ? "failed" : "ended"}${because(event.data.detail)}. ${written(event.data)}`;
    case "capture.deleted":
      return `Capture ${plainName(event.data.name)} and its files were deleted.`;
    case "operation.done":
      return `${late(event.data, "succeeded")}: ${removed(event.data, nameOf)} was removed.${event.data.reboot_required ? " Windows needs a reboot to complete this." : ""}`;
    case "operation.failed":
    case "adapter.create_failed":
      return `${late(event.data, "failed")}${because(event.data.problem.detail ?? null)}.`;
    case "driver.log":
      return event.data.message;
    case "driver.slow":
      return `The driver call ${event.data.call} has been running for ${event.data.seconds.toFixed(0)} s.`;
    case "audit.change": {
      const { who, label, browser, client, operation, status, count } = event.data;
      const name = label ? `${who} (${plainName(label)})` : who;
      const times = count > 1 ? `, ${count} times` : "";
      const from = `${browser ? "a browser" : "a program"} at ${client}`;
      const object = objectText(event.data, nameOf, adapterOf);
      const did = (status ?? 0) < 400 ? "used" : "tried to use";
      return `Token ${name} ${did} “${words(operation)}”${object && ` on ${object}`} from ${from}: ${outcome(status)}${times}.`;
    }
    default:
      return factsOf((event as { data?: unknown }).data);
  }
}

const GUIDS = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi;
const SESSION = /session ([\da-f]{12})\b(?: of adapter [\da-f-]{36})?/;

/** Say what a request was about: "adapter 1234…", "session 5f0c…", "token 9f86 (read)"; or "". */
export function objectOf({ path, subject }: AuditEvent["data"]): string {
  const [, kind, id = ""] = /^\/v1\/(\w+?)s\/([^/]+)/.exec(path) ?? [];
  return subject ?? (kind === undefined || id === "open" ? "" : `${kind} ${id}`);
}

/** Return the GUID of the adapter that a request was about; "" for none. */
export function auditedAdapter(
  data: AuditEvent["data"],
  adapterOf: (session: string) => string,
): string {
  const object = objectOf(data);
  const session = SESSION.exec(object)?.[1];
  return object.match(GUIDS)?.[0] ?? (session === undefined ? "" : adapterOf(session));
}

function objectText(
  data: AuditEvent["data"],
  nameOf: (guid: string) => string,
  adapterOf: (session: string) => string,
): string {
  return plainName(objectOf(data))
    .replace(SESSION, (text, id: string) => {
      const guid = adapterOf(id);
      return guid === "" ? text : `the session on ${nameOf(guid)}`;
    })
    .replace(GUIDS, nameOf);
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
  if (ends === "nothing") return "; nothing else ends";
  const when = ends_at === null ? "" : ` at ${clock(new Date(ends_at)).slice(0, 8)}`;
  const what = ends === "session" ? "the session ends" : "the adapter is deleted";
  return `; ${what}${when} unless one comes back`;
}

function clients(holders: number): string {
  return holders === 1 ? "1 client is connected" : `${count(holders)} clients are connected`;
}

function packets(number: number, direction?: "received" | "injected"): string {
  const way = direction && (direction === "received" ? " from the host" : " to the host");
  return `${count(number)} packet${number === 1 ? "" : "s"}${way ?? ""}`;
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
    ? "No packets passed while it was."
    : `It lost ${count(lost)} of ${count(offered)} packets.`;
}

/** Say how much a recorder keeps. */
function limits({ seconds, bytes }: Recorder): string {
  return `up to ${duration(seconds)} in ${binary(bytes)} of memory`;
}

function written({ packets, lost, bytes }: Capture): string {
  const missing = lost === 0 ? "" : `; ${count(lost)} were lost`;
  return `It has ${count(packets)} packets (${binary(bytes)})${missing}.`;
}

function late({ operation }: { operation: string }, end: string): string {
  return `“${words(operation)}” took a long time and has now ${end}`;
}

/** "create_adapter" → "create adapter". */
function words(operation: string): string {
  return operation.replaceAll("_", " ");
}

function outcome(status: number | null): string {
  if (status === null) return "no answer";
  return status < 400 ? "succeeded" : `refused (${status})`;
}

function removed(
  { adapter, pool }: { adapter: string | null; pool: string | null },
  nameOf: (guid: string) => string,
): string {
  if (adapter !== null) return `adapter ${nameOf(adapter)}`;
  return pool === null ? "the driver" : `pool ${pool}`;
}

/** Say what is different; how it is now, where nobody knows how it was. */
function changeText(before: Adapter | undefined, after: Adapter): string {
  const changes = before && changesOf(before, after);
  if (changes === undefined) {
    const { state, mtu, addresses } = after;
    return [state, ...addresses, mtu === null ? "" : `MTU ${mtu}`].filter(Boolean).join(", ");
  }
  return changes.join(", ") || "a detail that the overview does not show";
}

function because(reason: string | null): string {
  return reason === null ? "" : `: ${reason.replace(/\.$/, "")}`;
}
