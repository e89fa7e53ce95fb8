/** One session's packets over WebSocket: `v1.batch`, kept open, opened again when it is lost. */

import { BATCH_PROTOCOL, type Batch, FrameError, unpack } from "../wire/batch";
import { CLOSE_REASONS, type Control, parseControl } from "../wire/control";

export type StreamState =
  | { readonly name: "idle" }
  | { readonly name: "connecting" }
  /** Open, and waiting for the service to say hello. */
  | { readonly name: "syncing" }
  | { readonly name: "live" }
  /** Lost; opened again at `retryAt`, in milliseconds since 1970. */
  | { readonly name: "lost"; readonly reason: string; readonly retryAt: number }
  /** Closed for good. */
  | { readonly name: "ended"; readonly reason: string };

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

const FIRST_RETRY = 500;
const LONGEST_RETRY = 10_000;
const FRAME_REFUSED = 4010;

export class PacketStream {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempts = 0;
  private closed = false;

  /** `url` is where the service is, `ws://127.0.0.1:9886`. */
  constructor(
    private readonly url: string,
    private readonly options: StreamOptions,
    private readonly events: StreamEvents,
  ) {
    this.open();
  }

  /** Bytes that wait in this page to be sent. */
  get queuedBytes(): number {
    return this.socket?.bufferedAmount ?? 0;
  }

  /** Send a message of batches; false when the stream is not open. */
  send(message: ArrayBuffer): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(message);
    return true;
  }

  /** Try again now instead of at `retryAt`. */
  retry(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.open();
  }

  /** Close for good; no event comes after this. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
    this.socket = null;
  }

  private open(): void {
    this.timer = undefined;
    const { session, snaplen } = this.options;
    const query = `direction=both${snaplen > 0 ? `&snaplen=${snaplen}` : ""}`;
    const path = `/v1/sessions/${encodeURIComponent(session)}/packets?${query}`;
    const socket = new WebSocket(this.url + path, BATCH_PROTOCOL);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => this.say({ name: "syncing" });
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.take(event.data);
    socket.onclose = (event) => this.lose(event.code, event.reason);
    this.say({ name: "connecting" });
  }

  private take(data: ArrayBuffer | string): void {
    if (this.closed) return;
    if (typeof data !== "string") {
      try {
        this.events.onBatches(unpack(data));
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        this.socket?.close(FRAME_REFUSED, "The page could not read a frame.");
      }
      return;
    }
    const control = parseControl(data);
    if (control === null) return;
    this.events.onControl(control);
    if (control.type === "hello") {
      this.attempts = 0;
      this.say({ name: "live" });
    }
  }

  private lose(code: number, said: string): void {
    if (this.closed) return;
    this.socket = null;
    const known = CLOSE_REASONS[code];
    const reason = said || (known?.text ?? "The service cannot be reached.");
    if (known?.final) {
      this.closed = true;
      this.events.onState({ name: "ended", reason });
      return;
    }
    // Jitter, so that many pages do not come back at the same moment.
    const longest = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.attempts++);
    const delay = longest * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.open(), delay);
    this.say({ name: "lost", reason, retryAt: Date.now() + delay });
  }

  private say(state: StreamState): void {
    if (!this.closed) this.events.onState(state);
  }
}
