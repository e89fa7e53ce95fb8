/** The tokens of the service, and who is connected with them: read again while they are shown. */

import { signal } from "@preact/signals";
import { type Client, problemOfError } from "../api/client";
import type { ConnectedClient, CreatedToken, Problem, Token, TokenCreate } from "../api/types";
import { Polling } from "./polling";

const TOKENS = "/v1/tokens";
const CLIENTS = "/v1/clients";

export class AccessModel {
  /** Null until they were read. */
  readonly tokens = signal<readonly Token[] | null>(null);
  /** The oldest first; null until they were read. */
  readonly clients = signal<readonly ConnectedClient[] | null>(null);
  /** Why they could not be read. */
  readonly problem = signal<Problem | null>(null);
  /** The token that was just created, with its secret, until the reader has it. */
  readonly created = signal<CreatedToken | null>(null);
  private readonly polling = new Polling();
  /** The connections of this page that were ended here: its events, its packets. */
  private ended: readonly string[] = [];

  /** `own` returns the ids of this page's own connections. */
  constructor(
    private readonly client: Client,
    private readonly own: () => readonly (string | undefined)[],
  ) {}

  /** Read them every second until `rest`; nothing is asked for while the page is hidden. */
  watch(hidden: () => boolean): void {
    this.polling.begin(hidden, () => this.read());
  }

  rest(): void {
    this.polling.rest();
  }

  /** Forget all. */
  clear(): void {
    this.tokens.value = this.clients.value = this.problem.value = this.created.value = null;
  }

  /** Say whether a connection is one of this page. */
  isThisPage(client: ConnectedClient): boolean {
    return this.own().includes(client.id);
  }

  /** Return what is open with a token. */
  clientsOf(token: string): readonly ConnectedClient[] {
    return this.clients.value?.filter((one) => one.token === token) ?? [];
  }

  async create(body: TokenCreate): Promise<void> {
    this.created.value = await this.client.post<CreatedToken>(TOKENS, body);
    await this.read();
  }

  async revoke(id: string): Promise<void> {
    await this.client.delete(`${TOKENS}/${id}`);
    this.tokens.value = this.tokens.value?.filter((one) => one.id !== id) ?? null;
    await this.read();
  }

  /** Say whether it was this page that ended its own connection of this id. */
  hasEnded(id: string | undefined): boolean {
    return id !== undefined && this.ended.includes(id);
  }

  async disconnect(id: string): Promise<void> {
    // Its end may come before the answer.
    if (this.own().includes(id)) this.ended = [...this.ended.slice(-1), id];
    await this.client.delete(`${CLIENTS}/${id}`);
    this.clients.value = this.clients.value?.filter((one) => one.id !== id) ?? null;
  }

  private async read(): Promise<void> {
    try {
      const [tokens, clients] = await Promise.all([
        this.client.get<Token[]>(TOKENS),
        this.client.get<ConnectedClient[]>(CLIENTS),
      ]);
      this.tokens.value = tokens;
      this.clients.value = clients;
      this.problem.value = null;
    } catch (error) {
      this.problem.value = problemOfError(error);
    }
  }
}
