/** The messages of `WS /v1/events`. */

import type {
  Adapter,
  Capture,
  Problem,
  Progress,
  Recorder,
  Session,
  SessionImpairment,
} from "./types";

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
  /** The id of this connection in the list of clients; older services do not say it. */
  readonly client?: string;
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
/** What clients hold, after the last one has gone or one has come back. */
export type HoldEvent = Numbered<
  "session.abandoned" | "session.rejoined",
  {
    session: string | null;
    adapter: string;
    holders: number;
    ends: "nothing" | "session" | "adapter";
    ends_at: string | null;
  }
>;
export type ImpairmentEvent = Numbered<"impairment.set" | "impairment.removed", SessionImpairment>;
/** How far the scenarios of a session are that have got further. */
export type ImpairmentStepEvent = Numbered<
  "impairment.step",
  {
    session: string;
    adapter: string;
    summary: string;
    /** For how many steps it stands. */
    count: number;
    scenarios: readonly ScenarioProgress[];
  }
>;
export interface ScenarioProgress {
  readonly rule: number;
  readonly steps: number;
  readonly progress: Progress;
}
/** The side of a session that an impairment is of. */
interface Impaired {
  readonly session: string;
  readonly adapter: string;
  readonly direction: "received" | "injected";
}
export type ImpairmentLossEvent = Numbered<
  "impairment.loss",
  Impaired & { cause: string; count: number }
>;
export type ImpairmentQueueEvent = Numbered<
  "impairment.nearly_full",
  Impaired & {
    rule: number;
    packets: number;
    bytes: number;
    limit_packets: number;
    limit_bytes: number;
  }
>;
export type RecorderEvent =
  | Numbered<"recorder.set", Recorder>
  | Numbered<"recorder.removed", Recorder & { reason: "request" | "room" | "failure" }>;
export type CaptureEvent = Numbered<
  | "capture.started"
  | "capture.triggered"
  | "capture.stopped"
  | "capture.failed"
  | "capture.deleted",
  Capture
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
    /** What was created or opened, where the path does not say it. */
    subject?: string | null;
  }
>;

export type ServiceEvent =
  | AdapterEvent
  | SessionEvent
  | LossEvent
  | HoldEvent
  | ImpairmentEvent
  | ImpairmentStepEvent
  | ImpairmentLossEvent
  | ImpairmentQueueEvent
  | RecorderEvent
  | CaptureEvent
  | FailedOperationEvent
  | DoneOperationEvent
  | DriverLogEvent
  | SlowCallEvent
  | AuditEvent;

export type EventMessage = Snapshot | Missed | ServiceEvent;
