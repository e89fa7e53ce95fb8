/** REST: JSON in, JSON out, errors as the service's problem documents. WebSockets, with the key. */

import { KEY, keyHeaders, keyOffers } from "./key";
import { inPageWords } from "./page-words";
import { Socket, type SocketEvents } from "./socket";
import type { Store } from "./store";
import type { InjectionReport, Problem } from "./types";

const BATCH_TYPE = "application/vnd.wintun-api.batch";
const TIMEOUT = 30_000;

/** The service answered with an error. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
  }
}

/** Nothing answered. */
export class UnreachableError extends Error {
  constructor() {
    super("The service cannot be reached.");
    this.name = "UnreachableError";
  }
}

/** Return any error as a problem, so that there is one way to show them. */
export function problemOfError(error: unknown): Problem {
  if (error instanceof ProblemError) return inPageWords(error.problem);
  return plainProblem(error instanceof Error ? error.message : String(error));
}

/** Return what a person reads of an error: what is so, and what to do. */
export function sentencesOf(error: unknown): string {
  const { detail, hint } = problemOfError(error);
  return [detail, hint].filter(Boolean).join(" ");
}

function plainProblem(detail: string, status = 0, title = ""): Problem {
  return { type: "about:blank", title, status, detail };
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export class Client {
  /** Called when the service says that nobody is signed in. */
  onUnauthorized: () => void = () => undefined;

  /** `url` is where the service's WebSockets are, `ws://127.0.0.1:9886`; `store` keeps the key. */
  constructor(
    private readonly url: string,
    private readonly store: Store,
  ) {}

  /** The key of this browser's sign-in, which another tab may have changed; null without one. */
  get key(): string | null {
    return this.store.getItem(KEY);
  }

  forgetKey(): void {
    this.store.setItem(KEY, null);
  }

  /** Sign this browser in, where the page is; say whether the service knows the token. */
  async signIn(token: string): Promise<boolean> {
    const answer = await this.send("POST", "/sign-in", { authorization: `Bearer ${token}` });
    if (answer.status === 401) return false;
    if (!answer.ok) throw new ProblemError(await problemOf(answer));
    this.store.setItem(KEY, ((await answer.json()) as { key: string }).key);
    return true;
  }

  /** Keep this key in place of the one before, if it works: anyone can write a link with a key. */
  async tryKey(key: string): Promise<void> {
    if (await this.isKnown(keyHeaders(key))) this.store.setItem(KEY, key);
  }

  /** Say whether the service knows who asks with these headers. */
  async isKnown(headers: Record<string, string>): Promise<boolean> {
    const answer = await this.send("GET", "/v1/system", headers);
    if (answer.status === 401) return false;
    if (answer.ok || answer.status === 403) return true;
    throw new ProblemError(await problemOf(answer));
  }

  /** Open a WebSocket that speaks this protocol. */
  open(path: string, protocol: string, events: SocketEvents): Socket {
    return new Socket(this.url + path, [protocol, ...keyOffers(this.key)], events);
  }

  get<T>(path: string): Promise<T> {
    return this.json<T>("GET", path);
  }

  post<T>(path: string, body?: object): Promise<T> {
    return this.json<T>("POST", path, body);
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.json<T>("PUT", path, body);
  }

  patch<T>(path: string, body: object): Promise<T> {
    return this.json<T>("PATCH", path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.json<T>("DELETE", path);
  }

  /** Inject a message of batches into a session. */
  async inject(session: string, message: ArrayBuffer): Promise<InjectionReport> {
    const path = `/v1/sessions/${encodeURIComponent(session)}/packets`;
    const answer = await this.fetch("POST", path, { "content-type": BATCH_TYPE }, message);
    return (await answer.json()) as InjectionReport;
  }

  /** Read a file, however long that takes, unless `signal` ends it. */
  async download(path: string, signal?: AbortSignal): Promise<Blob> {
    const answer = await this.fetch("GET", path, {}, undefined, signal ?? null);
    return answer.blob().catch(() => {
      throw new UnreachableError();
    });
  }

  private async json<T>(method: Method, path: string, body?: object): Promise<T> {
    const headers: Record<string, string> =
      body === undefined ? {} : { "content-type": "application/json" };
    const answer = await this.fetch(method, path, headers, body && JSON.stringify(body));
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  private async fetch(
    method: Method,
    path: string,
    headers: Record<string, string>,
    body?: BodyInit,
    signal?: AbortSignal | null,
  ): Promise<Response> {
    const known = { ...keyHeaders(this.key), ...headers };
    const answer = await this.send(method, path, known, body, signal);
    if (answer.ok) return answer;
    if (answer.status === 401) this.onUnauthorized();
    throw new ProblemError(await problemOf(answer));
  }

  private send(
    method: Method,
    path: string,
    headers: Record<string, string>,
    body: BodyInit | null = null,
    signal: AbortSignal | null = AbortSignal.timeout(TIMEOUT),
  ): Promise<Response> {
    return fetch(path, {
      method,
      headers: { accept: "application/json", ...headers },
      body,
      signal,
    }).catch(() => {
      throw new UnreachableError();
    });
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  if (answer.headers.get("content-type")?.includes("problem+json")) {
    return (await answer.json()) as Problem;
  }
  const detail = `The service answered with the error ${answer.status} and gave no reason.`;
  return plainProblem(detail, answer.status, answer.statusText);
}
