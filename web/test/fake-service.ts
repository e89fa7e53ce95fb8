/** A service below the api floor: answers to `fetch`, and the far ends of WebSockets. */

import { afterEach, beforeEach } from "vitest";
import { Client } from "../src/api/client";
import type { EventMessage } from "../src/api/events";
import { KEY } from "../src/api/key";
import type { Store } from "../src/api/store";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What is answered to `GET /v1/system`, say: a body, or a function of what was asked. */
type Answer = unknown | ((asked: Asked) => unknown);

/** An answer that is an error. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly more: object = {},
  ) {}
}

export class FakeService {
  readonly asked: Asked[] = [];
  /** The WebSockets that were opened, the newest last. */
  readonly sockets: FarEnd[] = [];
  /** Nothing answers. */
  isAway = false;
  private readonly answers = new Map<string, Answer>();
  private readonly before = { fetch: globalThis.fetch, WebSocket: globalThis.WebSocket };

  answer(call: string, answer: Answer): void {
    this.answers.set(call, answer);
  }

  /** The newest WebSocket. */
  get socket(): FarEnd {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("No WebSocket was opened.");
    return socket;
  }

  /** Return what was asked by these calls, `POST /v1/sessions`. */
  calls(call: string): readonly Asked[] {
    return this.asked.filter((one) => `${one.method} ${one.path}` === call);
  }

  install(): void {
    const { sockets } = this;
    globalThis.fetch = (path, options) => this.reply(String(path), options ?? {});
    globalThis.WebSocket = class extends FarEnd {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    } as unknown as typeof WebSocket;
  }

  uninstall(): void {
    Object.assign(globalThis, this.before);
  }

  private async reply(path: string, options: RequestInit): Promise<Response> {
    if (this.isAway) throw new TypeError("Failed to fetch");
    const { method = "GET", body } = options;
    const headers = new Headers(options.headers);
    const asked = {
      method,
      path,
      headers,
      body: typeof body === "string" ? JSON.parse(body) : body,
    };
    this.asked.push(asked);
    const found = this.answers.get(`${method} ${path}`);
    const answer = typeof found === "function" ? found(asked) : found;
    if (answer === undefined) return problem(new Refusal(404, `There is no ${method} ${path}.`));
    return answer instanceof Refusal ? problem(answer) : reply(answer);
  }
}

function problem({ status, detail, more }: Refusal): Response {
  const body = { type: "about:blank", title: "No", status, detail, ...more };
  return reply(body, { status, headers: { "content-type": "application/problem+json" } });
}

/** The body is there at once: a real one comes in a task of its own, which fake timers outrun. */
function reply(body: unknown, options: ResponseInit = {}): Response {
  return Object.assign(new Response(null, options), { json: async () => structuredClone(body) });
}

/** A WebSocket as the page has it, with what the service does to it. */
export class FarEnd {
  static readonly OPEN = 1;
  readyState = 0;
  binaryType = "blob";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly sent: unknown[] = [];
  /** How the page closed it. */
  closed: number | true | null = null;

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
  ) {}

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(code?: number): void {
    this.readyState = 3;
    this.closed = code ?? true;
  }

  accept(): void {
    this.readyState = FarEnd.OPEN;
    this.onopen?.();
  }

  /** Send an event or a control message, or bytes. */
  say(message: EventMessage | object | ArrayBuffer): void {
    const data = message instanceof ArrayBuffer ? message : JSON.stringify(message);
    this.onmessage?.({ data });
  }

  end(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

/** A store of its own for each test: the browser's is shared by all that run at once. */
export class FakeStore implements Store {
  readonly values = new Map<string, string>();

  /** `key` is that of the browser's sign-in. */
  constructor(key: string | null = "the-key") {
    this.setItem(KEY, key);
  }

  getItem(name: string): string | null {
    return this.values.get(name) ?? null;
  }

  setItem(name: string, value: string | null): void {
    if (value === null) this.values.delete(name);
    else this.values.set(name, value);
  }
}

export function newClient(store: Store = new FakeStore()): Client {
  return new Client("ws://127.0.0.1:9886", store);
}

/** Put a new one in place before each test, and the browser's own back after it. */
export function eachWithService(): () => FakeService {
  let service = new FakeService();
  beforeEach(() => {
    service = new FakeService();
    service.install();
  });
  afterEach(() => service.uninstall());
  return () => service;
}
