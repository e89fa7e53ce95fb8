/** One session's packets over WebSocket: `v1.batch`, kept open, opened again when it is lost. */

import { BATCH_PROTOCOL, type Batch, FrameError, unpack } from "../wire/batch";
import { CloseCode } from "../wire/close-codes";
import { CLOSE_REASONS, type Control, parseControl } from "../wire/control";
import { Backoff } from "./backoff";
import type { Client } from "./client";
import type { Socket } from "./socket";

export type StreamState =
  | { readonly name: "idle" }
  | { readonly name: "connecting" }
  /** Open, and waiting for the service to say hello. */
  | { readonly name: "syncing" }
  | { readonly name: "live" }
  /** Lost; opened again at `retryAt`, in milliseconds since 1970. */
  | { readonly name: "lost"; readonly reason: string; readonly retryAt: number }
  /** Closed for good; `again` says whether to open it again may be of use. */
  | { readonly name: "ended"; readonly reason: string; readonly again: boolean };

export interface StreamOptions {
  readonly session: string;
  /** Bytes of each packet; 0 for all. */
  readonly snaplen: number;
}

export interface StreamEvents {
  readonly onBatches: (batches: readonly Batch[]) => void;
  readonly onControl: (control: Control) => void;
  readonly onState: (state: StreamState) => void;
}

const UNREADABLE = "The page could not read a message from the service.";

export class PacketStream {
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff = new Backoff();

  constructor(
    private readonly client: Client,
    private readonly options: StreamOptions,
    private readonly events: StreamEvents,
  ) {
    this.open();
  }

  /** Try again now instead of at `retryAt`. */
  retry(): void {
    if (this.timer !== undefined) this.open();
  }

  /** Close for good; no event comes after this. */
  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.socket?.close();
    this.socket = null;
  }

  private open(): void {
    this.close();
    const { session, snaplen } = this.options;
    const query = `direction=both&times=packet${snaplen > 0 ? `&snaplen=${snaplen}` : ""}`;
    const path = `/v1/sessions/${encodeURIComponent(session)}/packets?${query}`;
    this.socket = this.client.open(path, BATCH_PROTOCOL, {
      onOpen: () => this.events.onState({ name: "syncing" }),
      onMessage: (data) => this.take(data),
      onClose: (code, reason) => this.lose(code, reason),
    });
    this.events.onState({ name: "connecting" });
  }

  private take(data: ArrayBuffer | string): void {
    if (typeof data !== "string") {
      try {
        this.events.onBatches(unpack(data));
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        this.socket?.close(CloseCode.BAD_FRAME, UNREADABLE);
        this.lose(CloseCode.BAD_FRAME, UNREADABLE);
      }
      return;
    }
    const control = parseControl(data);
    if (control === null) return;
    this.events.onControl(control);
    if (control.type === "hello") {
      this.backoff.reset();
      this.events.onState({ name: "live" });
    }
  }

  private lose(code: number, said: string): void {
    this.socket = null;
    const known = CLOSE_REASONS[code];
    // What the service says of a session that is gone names its id.
    const isGone = code === CloseCode.NO_SESSION;
    const reason = (isGone ? "" : said) || (known?.text ?? "The service cannot be reached.");
    if (code === CloseCode.TOKEN) this.client.onUnauthorized();
    if (known?.final) {
      const again = code === CloseCode.DISCONNECTED;
      this.events.onState({ name: "ended", reason, again });
      return;
    }
    const delay = this.backoff.next();
    this.timer = setTimeout(() => this.open(), delay);
    this.events.onState({ name: "lost", reason, retryAt: Date.now() + delay });
  }
}
