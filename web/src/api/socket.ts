/** The one place that opens a WebSocket. */

export interface SocketEvents {
  readonly onOpen?: () => void;
  readonly onMessage: (data: ArrayBuffer | string) => void;
  /** Once, however it ended; not after `close`. */
  readonly onClose: (code: number, reason: string) => void;
}

export class Socket {
  private readonly socket: WebSocket;

  /**
   * `url` is complete: `ws://127.0.0.1:9886/v1/events`. A browser ends a connection whose server
   * selects none of the offered protocols, so the first must be one that it selects.
   */
  constructor(url: string, protocols: readonly string[], events: SocketEvents) {
    this.socket = new WebSocket(url, [...protocols]);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => events.onOpen?.();
    this.socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) =>
      events.onMessage(event.data);
    this.socket.onclose = (event) => events.onClose(event.code, event.reason);
  }

  /** Close it; no event comes after this. */
  close(code?: number, reason?: string): void {
    const { socket } = this;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code, reason);
  }
}
