/**
 * The page's tie to the service:
 *
 *     signed-out → connecting → syncing → live → lost → connecting …
 *
 * The events carry all that changes. After a loss they go on where they stopped; a service that was
 * started anew, or has let go of that place, sends a snapshot instead.
 */

import { signal } from "@preact/signals";
import { Backoff } from "../api/backoff";
import { type Client, ProblemError, sentencesOf } from "../api/client";
import { EVENTS_PROTOCOL, type EventMessage } from "../api/events";
import type { Socket } from "../api/socket";
import type { System } from "../api/types";
import { CloseCode } from "../wire/close-codes";

export type ConnectionState =
  | { readonly name: "signed-out"; readonly reason: string }
  | { readonly name: "connecting" }
  /** Open, and waiting for the first word. */
  | { readonly name: "syncing" }
  | { readonly name: "live" }
  /** An administrator ended it; the page stays away until it is told to connect. */
  | { readonly name: "disconnected"; readonly reason: string }
  /** Tried again at `retryAt`, in milliseconds since 1970. */
  | {
      readonly name: "lost";
      readonly stopped: boolean;
      readonly reason: string;
      readonly retryAt: number;
    };

export interface ConnectionEvents {
  /** The service was asked who it is; comes before its events. */
  readonly onSystem: (system: System) => void;
  readonly onMessage: (message: EventMessage) => void;
  /** The token may not use this page: what the service said. */
  readonly onRefused: (reason: string) => void;
}

export class ConnectionModel {
  readonly state = signal<ConnectionState>({ name: "connecting" });
  /** Whether the tie broke and is not there again, also while that is tried. */
  readonly isAway = signal(false);
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff = new Backoff();
  private startedAt: string | null = null;
  private lastId: number | null = null;
  private isResting = false;
  /** What was said when the service was stopped, until it is there again. */
  private stopReason = "";
  /** Changes with every attempt, so that an answer to an earlier one is not taken for this one's. */
  private attempt = 0;

  constructor(
    private readonly client: Client,
    private readonly events: ConnectionEvents,
  ) {}

  /** Connect now, whatever the state. */
  async connect(): Promise<void> {
    const attempt = this.drop();
    this.isResting = false;
    this.to({ name: "connecting" });
    try {
      const system = await this.client.get<System>("/v1/system");
      if (attempt !== this.attempt) return;
      if (system.started_at !== this.startedAt) this.lastId = null;
      this.startedAt = system.started_at;
      this.stopReason = "";
      this.events.onSystem(system);
      this.open();
    } catch (error) {
      if (attempt === this.attempt) this.fail(error);
    }
  }

  /** Do not wait any longer. */
  retry(): void {
    if (this.state.value.name === "lost") void this.connect();
  }

  /** Close what is open until `wake`. */
  rest(): void {
    this.isResting = this.state.value.name !== "signed-out";
    this.drop();
  }

  async wake(): Promise<void> {
    if (this.isResting) await this.connect();
  }

  /** Stay away until `connect`; the reason is shown where the token is asked for. */
  signOut(reason: string): void {
    this.drop();
    this.lastId = null;
    this.to({ name: "signed-out", reason });
  }

  private open(): void {
    const since = this.lastId;
    const query = since === null ? "" : `?since=${since}`;
    this.socket = this.client.open(`/v1/events${query}`, EVENTS_PROTOCOL, {
      onOpen: () => {
        // Who resumes gets no snapshot, and nothing at all before something happens.
        this.to({ name: since === null ? "syncing" : "live" });
      },
      onMessage: (data) => this.take(JSON.parse(String(data)) as EventMessage),
      onClose: (code, reason) => this.closed(code, reason),
    });
  }

  private take(message: EventMessage): void {
    this.backoff.reset();
    this.stopReason = "";
    this.events.onMessage(message);
    if (message.type === "missed") {
      // Only a snapshot tells what those events did.
      this.lastId = null;
      void this.connect();
      return;
    }
    this.lastId = message.id ?? this.lastId;
    if (this.state.value.name !== "live") this.to({ name: "live" });
  }

  private closed(code: number, reason: string): void {
    if (code === CloseCode.TOKEN) {
      this.client.onUnauthorized();
    } else if (code === CloseCode.DISCONNECTED) {
      this.drop();
      this.to({ name: "disconnected", reason });
    } else if (code === CloseCode.GOING_AWAY) {
      this.lose("The service was stopped.", true);
    } else {
      this.lose(reason || "The connection to the service broke.", false);
    }
  }

  private fail(error: unknown): void {
    if (error instanceof ProblemError) {
      const { status, detail } = error.problem;
      if (status === 401) return; // the client has told
      if (status === 403) this.events.onRefused(sentencesOf(error));
      else this.lose(detail, false);
    } else {
      this.lose("The service does not answer.", false);
    }
  }

  private lose(reason: string, stopped: boolean): void {
    this.drop();
    // That a service that was stopped does not answer either is no news.
    if (stopped) this.stopReason = reason;
    else if (this.stopReason !== "") [reason, stopped] = [this.stopReason, true];
    const delay = this.backoff.next();
    this.timer = setTimeout(() => void this.connect(), delay);
    this.to({ name: "lost", stopped, reason, retryAt: Date.now() + delay });
  }

  private to(state: ConnectionState): void {
    this.state.value = state;
    const { name } = state;
    if (name === "lost" || name === "disconnected") this.isAway.value = true;
    else if (name === "live" || name === "signed-out") this.isAway.value = false;
  }

  private drop(): number {
    clearTimeout(this.timer);
    this.socket?.close();
    this.socket = null;
    return ++this.attempt;
  }
}
