/** The text messages of `v1.batch.wintun-api`, all from the service. */

import { CloseCode } from "./close-codes";

export interface Hello {
  readonly type: "hello";
  /** The id of this connection in the list of clients; older services do not say it. */
  readonly client?: string;
  readonly session: string;
  readonly adapter: { readonly guid: string; readonly name: string };
  readonly mtu: number | null;
  readonly limits: {
    readonly max_packet: number;
    readonly max_message: number;
    readonly queue_packets: number;
    readonly queue_bytes: number;
    readonly snaplen: number;
  };
  readonly next_sequence: { readonly received: number; readonly injected: number };
}

export interface Lost {
  readonly type: "lost";
  readonly cause: string;
  readonly direction: "received" | "injected";
  readonly count: number;
  /** Sequence numbers; missing for packets that were lost before they had one. */
  readonly first?: number | null;
  readonly last?: number | null;
}

export interface Ack {
  readonly type: "ack";
  /** Messages of this connection so far. */
  readonly messages: number;
  readonly accepted: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly ring_full: number;
}

export interface Ended {
  readonly type: "ended";
  readonly state: string;
  readonly reason: string;
}

export type Control = Hello | Lost | Ack | Ended;

/** Return the message, null for one of a kind that a later service may add. */
export function parseControl(text: string): Control | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("type" in value)) return null;
  return /^(hello|lost|ack|ended)$/.test(String(value.type)) ? (value as Control) : null;
}

/** Why the service closed the socket, and whether to try again is of use. */
export const CLOSE_REASONS: Readonly<Record<number, { text: string; final: boolean }>> = {
  [CloseCode.GOING_AWAY]: { text: "The service was stopped.", final: false },
  [CloseCode.TOKEN]: { text: "The token is no longer valid. Sign in again.", final: true },
  [CloseCode.DISCONNECTED]: { text: "An administrator disconnected this page.", final: true },
  [CloseCode.SCOPE]: { text: "This token may not capture packets.", final: true },
  [CloseCode.NO_SESSION]: { text: "The session has ended.", final: true },
  [CloseCode.SLOW]: { text: "This page read too slowly.", final: false },
  [CloseCode.ENDED]: { text: "The session has ended.", final: true },
  [CloseCode.BAD_FRAME]: {
    text: "The service did not understand this page. Reload it.",
    final: false,
  },
};
