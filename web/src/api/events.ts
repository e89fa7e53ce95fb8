/** The messages of `WS /v1/events`. */

import type { Adapter, Problem, Session } from "./types";

/** What these WebSockets speak; named because a browser wants one offer to be selected. */
export const EVENTS_PROTOCOL = "v1.events.wintun-api";

interface Numbered<Type extends string, Data> {
  readonly id: number;
  readonly time: string;
  readonly type: Type;
  readonly data: Data;
}

export interface Snapshot {
  readonly type: "snapshot";
  readonly id: number;
  /** The oldest event that the service still has. */
  readonly oldest: number;
  readonly time: string;
  readonly adapters: readonly Adapter[];
  readonly sessions: readonly Session[];
}

export interface Missed {
  readonly type: "missed";
  readonly count: number;
}

export type LogLevel = "info" | "warn" | "err";

export type AdapterEvent = Numbered<
  "adapter.created" | "adapter.changed" | "adapter.deleted",
  Adapter
>;
export type SessionEvent = Numbered<
  "session.started" | "session.restarted" | "session.ended" | "session.failed",
  Session
>;
export type LossEvent = Numbered<
  "session.loss",
  { session: string; adapter: string; cause: string; count: number }
>;
/** A request that was answered before its driver call had ended, and how that call ended. */
interface LateOperation {
  readonly operation: string;
  readonly adapter: string | null;
  readonly pool: string | null;
}
export type FailedOperationEvent = Numbered<
  "operation.failed" | "adapter.create_failed",
  LateOperation & { name: string | null; problem: Problem }
>;
export type DoneOperationEvent = Numbered<
  "operation.done",
  LateOperation & { reboot_required: boolean }
>;
export type DriverLogEvent = Numbered<"driver.log", { level: LogLevel; message: string }>;
export type SlowCallEvent = Numbered<"driver.slow", { call: string; seconds: number }>;
/** What the bearer of a token changed, or tried to. */
export type AuditEvent = Numbered<
  "audit.change",
  {
    /** The token's id. */
    who: string;
    label: string;
    browser: boolean;
    client: string;
    operation: string;
    method: string;
    path: string;
    /** HTTP status; null without an answer. */
    status: number | null;
    count: number;
  }
>;

export type ServiceEvent =
  | AdapterEvent
  | SessionEvent
  | LossEvent
  | FailedOperationEvent
  | DoneOperationEvent
  | DriverLogEvent
  | SlowCallEvent
  | AuditEvent;

export type EventMessage = Snapshot | Missed | ServiceEvent;
