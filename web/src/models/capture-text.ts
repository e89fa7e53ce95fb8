/** A named capture in words. */

import type { Capture, StopReason, Trigger } from "../api/types";
import { binary, count, duration } from "./units";

export const STATES: Readonly<Record<Capture["state"], string>> = {
  waiting: "waiting",
  running: "running",
  stopped: "ended",
  failed: "failed",
  repairing: "being read",
};

const REASONS: Readonly<Record<StopReason, string>> = {
  request: "a client stopped it",
  packets: "it reached its number of packets",
  bytes: "it reached its size",
  seconds: "its time was up",
  keep: "its files reached the size limit",
  service: "the service stopped",
  storage: "the disk is full or not writable",
  total: "all captures together reached the size limit",
};

/** Why a capture has ended; "" before that. */
export function reasonText({ reason }: Capture): string {
  return reason === null ? "" : REASONS[reason];
}

/** Whose packets a capture has; `nameOf` gives an adapter's name for its GUID. */
export function adaptersText(
  { adapters, pool }: Pick<Capture, "adapters" | "pool">,
  nameOf: (guid: string) => string,
): string {
  if (pool !== null) return `all of pool ${pool}`;
  return adapters === null ? "all" : adapters.map(nameOf).join(", ");
}

/** When a capture ends by itself. */
export function stopText({ packets, bytes, seconds }: Capture["stop"]): string {
  const limits = [
    packets == null ? "" : `${count(packets)} packets`,
    bytes == null ? "" : binary(bytes),
    seconds == null ? "" : time(seconds),
  ].filter(Boolean);
  return limits.length === 0 ? "when you stop it" : `after ${either(limits)}`;
}

/** When a capture begins another file. */
export function rotateText({ bytes, seconds }: Capture["rotate"]): string {
  const limits = [bytes == null ? "" : binary(bytes), seconds == null ? "" : time(seconds)].filter(
    Boolean,
  );
  return limits.length === 0 ? "never" : `every ${either(limits)}`;
}

/** How much of a capture is kept. */
export function keepText({ files, bytes }: Capture["keep"]): string {
  const limits = [
    files == null ? "" : `the last ${count(files)} files`,
    bytes == null ? "" : `the last ${binary(bytes)}`,
  ].filter(Boolean);
  return limits.join(", at most ") || "all";
}

/** What begins a capture that waits. */
export function triggerText({ on, event, filter, before = 0, after }: Trigger): string {
  const what = {
    event: `the event ${event}`,
    loss: "packets are lost",
    filter: `a packet matches ${filter}`,
    call: "a manual trigger",
  }[on];
  const had = before > 0 ? `, from ${time(before)} before it` : "";
  return what + had + (after == null ? "" : `, until ${time(after)} after it`);
}

function time(seconds: number): string {
  return Number.isInteger(seconds) ? duration(seconds) : `${seconds}\u00a0s`;
}

function either(limits: readonly string[]): string {
  const last = limits.at(-1) ?? "";
  const others = limits.slice(0, -1).join(", ");
  return others === "" ? last : `${others} or ${last}`;
}
