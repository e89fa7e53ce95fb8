/** A host of a network in words. */

import type { NetworkHost } from "../api/types";
import { count, duration } from "./units";

/** Milliseconds from which a clock is worth a second look. */
export const FAR = 1000;

export const STATES: Readonly<Record<NetworkHost["state"], string>> = {
  attached: "joined",
  detached: "without its service",
  unknown: "unreadable report",
};

/** All packets that it knows to be lost. */
export function lostCount({ lost = {} }: NetworkHost): number {
  return Object.values(lost).reduce((sum, one) => sum + one, 0);
}

/** Why they were lost, the most first: "3 no route, 1 ring"; "" if none were. */
export function lostText({ lost = {} }: NetworkHost): string {
  return Object.entries(lost)
    .filter(([, one]) => one > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([cause, one]) => `${count(one)} ${cause.replaceAll("_", " ")}`)
    .join(", ");
}

/** How far its clock is from the server's: "1.5 ms ahead". */
export function clockText(offsetMs: number | null | undefined): string {
  if (offsetMs == null) return "not known";
  const far = Math.abs(offsetMs);
  const amount = far >= FAR ? duration(far / 1000) : `${far.toFixed(far < 10 ? 1 : 0)}\u00a0ms`;
  if (far < 0.05) return "exact";
  return `${amount} ${offsetMs > 0 ? "ahead" : "behind"}`;
}

/** The adapters of its service: "OfficeNet (up), Lab (down)". */
export function adaptersText({ adapters = [] }: NetworkHost): string {
  return adapters.map(({ name, state }) => `${name} (${state})`).join(", ");
}
