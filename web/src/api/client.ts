/** REST: JSON in, JSON out, errors as the service's problem documents. */

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
  if (error instanceof ProblemError) return error.problem;
  return plainProblem(error instanceof Error ? error.message : String(error));
}

function plainProblem(detail: string, status = 0, title = ""): Problem {
  return { type: "about:blank", title, status, detail };
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

export class Client {
  /** Called when the service says that nobody is signed in. */
  onUnauthorized: (problem: Problem) => void = () => undefined;

  get<T>(path: string): Promise<T> {
    return this.json<T>("GET", path);
  }

  post<T>(path: string, body?: object): Promise<T> {
    return this.json<T>("POST", path, body);
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

  /**
   * Trade a token for the cookie; false when the service does not know the token.
   * The service does so on its page, so the token is in no address that a browser keeps.
   */
  async exchange(token: string): Promise<boolean> {
    const query = new URLSearchParams({ token });
    const answer = await fetch(`/?${query}`, { headers: { accept: "text/html" } }).catch(() => {
      throw new UnreachableError();
    });
    return answer.ok;
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
    body: BodyInit | undefined,
  ): Promise<Response> {
    const answer = await fetch(path, {
      method,
      headers: { accept: "application/json", ...headers },
      body: body ?? null,
      signal: AbortSignal.timeout(TIMEOUT),
    }).catch(() => {
      throw new UnreachableError();
    });
    if (answer.ok) return answer;
    const problem = await problemOf(answer);
    if (answer.status === 401) this.onUnauthorized(problem);
    throw new ProblemError(problem);
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  if (answer.headers.get("content-type")?.includes("problem+json")) {
    return (await answer.json()) as Problem;
  }
  const detail = `The service answered ${answer.status} without a reason.`;
  return plainProblem(detail, answer.status, answer.statusText);
}
