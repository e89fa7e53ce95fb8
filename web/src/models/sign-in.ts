/** In with a token, out again; the token itself is kept nowhere. */

import { signal } from "@preact/signals";
import { type Client, sentencesOf, UnreachableError } from "../api/client";

const UNKNOWN = "The service does not know this token. It may be mistyped, expired or revoked.";

export class SignInModel {
  readonly busy = signal(false);
  readonly error = signal("");
  /** Whether this browser is signed in although the page asks for a token: with one that may not see it. */
  readonly isHeld = signal(false);

  /** `enter` is called when this browser is signed in, `onSignOut` when it is signed out. */
  constructor(
    private readonly client: Client,
    private readonly enter: () => void,
    private readonly onSignOut: () => void,
  ) {}

  async signIn(pasted: string): Promise<void> {
    const token = tokenOf(pasted);
    if (token === "") {
      this.error.value = "Enter a token.";
      return;
    }
    this.busy.value = true;
    this.error.value = "";
    try {
      // No header can hold another token, and the service has none.
      if (/^[!-~]+$/.test(token) && (await this.client.signIn(token))) this.enter();
      else this.error.value = UNKNOWN;
    } catch (error) {
      this.error.value =
        error instanceof UnreachableError
          ? "The service does not answer. Is it running?"
          : sentencesOf(error);
    } finally {
      this.busy.value = false;
    }
  }

  async signOut(): Promise<void> {
    const done = this.client.post("/v1/sign-out").catch(() => undefined);
    this.client.forgetKey(); // the request has it; the other tabs see that it went
    await done;
    this.onSignOut();
  }
}

/** Return the token in what was pasted: itself, or the whole address that holds it. */
export function tokenOf(pasted: string): string {
  const text = pasted.trim();
  const query = /[?&](token=[^&#\s]+)/.exec(text)?.[1];
  return query === undefined ? text : (new URLSearchParams(query).get("token") ?? "");
}
