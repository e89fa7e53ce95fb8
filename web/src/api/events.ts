/** The messages of `WS /v1/events`. */

import type { Adapter, Session } from "./types";

interface Numbered<Type extends string, Data> {
  readonly id: number;
  readonly time: string;
  readonly type: Type;
  readonly data: Data;
}

export interface Snapshot {
  readonly type: "snapshot";
  readonly id: number;
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
export type DriverLogEvent = Numbered<"driver.log", { level: LogLevel; message: string }>;
export type SlowCallEvent = Numbered<"driver.slow", { call: string; seconds: number }>;

export type ServiceEvent = AdapterEvent | SessionEvent | LossEvent | DriverLogEvent | SlowCallEvent;

export type EventMessage = Snapshot | Missed | ServiceEvent;
