/** The one place that opens a WebSocket. */

export interface SocketEvents {
  readonly onOpen: () => void;
  readonly onMessage: (data: ArrayBuffer | string) => void;
  /** Once, however it ended; not after `close`. */
  readonly onClose: (code: number, reason: string) => void;
}

export class Socket {
  private readonly socket: WebSocket;

  /** `url` is complete: `ws://127.0.0.1:9886/v1/events`. */
  constructor(url: string, protocol: string | null, events: SocketEvents) {
    this.socket = protocol === null ? new WebSocket(url) : new WebSocket(url, protocol);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => events.onOpen();
    this.socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) =>
      events.onMessage(event.data);
    this.socket.onclose = (event) => events.onClose(event.code, event.reason);
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(data: ArrayBuffer): void {
    this.socket.send(data);
  }

  /** Close it; no event comes after this. */
  close(code?: number, reason?: string): void {
    const { socket } = this;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code, reason);
  }
}
