/** In with a token, out again; the token itself is kept nowhere. */

import { signal } from "@preact/signals";
import type { Client } from "../api/client";

export class SignInModel {
  readonly busy = signal(false);
  readonly error = signal("");

  constructor(
    private readonly client: Client,
    private readonly onChange: (signedIn: boolean) => void,
  ) {}

  async signIn(token: string): Promise<void> {
    const bare = tokenOf(token);
    if (bare === "") {
      this.error.value = "Paste the token first.";
      return;
    }
    this.busy.value = true;
    this.error.value = "";
    try {
      if (await this.client.exchange(bare)) this.onChange(true);
      else
        this.error.value = "The service does not know this token: it is wrong, expired or revoked.";
    } catch {
      this.error.value = "The service does not answer. Is it running?";
    } finally {
      this.busy.value = false;
    }
  }

  async signOut(): Promise<void> {
    await this.client.post("/v1/sign-out").catch(() => undefined);
    this.onChange(false);
  }
}

/** Return the token in what was pasted: itself, or the whole address that holds it. */
export function tokenOf(pasted: string): string {
  const text = pasted.trim();
  return /[?&]token=([^&#\s]+)/.exec(text)?.[1] ?? text;
}
