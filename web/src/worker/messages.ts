/** What the page and its worker say to each other. */

import type { Conversation, Followed, How } from "../analysis/conversation";
import type { Field } from "../packet/dissection";
import type { Bounds, Item } from "./ring";

/** What each packet of these rows is, by the packets around it. */
export interface Note {
  readonly row: number;
  /** What stands before its line, "[TCP Retransmission] ". */
  readonly prefix: string;
  readonly fields: readonly Field[];
  /** Bytes that its segment goes on with an earlier one, as `decode` has it. */
  readonly begins: number;
  /** The conversation that it belongs to; 0 without one. */
  readonly conversation: number;
}

/** The protocols that are counted: a few that tell. */
export const KINDS = [
  "TLS",
  "HTTP",
  "TCP",
  "QUIC",
  "DNS",
  "UDP",
  "ICMP",
  "ICMPv6",
  "Other",
] as const;

/** How many packets and bytes of each kind came in a second. */
export interface Counts {
  readonly second: number;
  readonly packets: readonly number[];
  readonly bytes: readonly number[];
}

/** From the page. What is about rows carries the number of their ring. */
export type Request =
  /**
   * Begin anew with a ring whose first row is this one; `base` has the number 1. What it holds has
   * been counted by an earlier worker.
   */
  | {
      readonly type: "open";
      readonly ring: number;
      readonly bounds: Bounds;
      readonly row: number;
      readonly base: number;
      readonly originNs: bigint;
      readonly items: readonly Item[];
    }
  | { readonly type: "feed"; readonly items: readonly Item[] }
  /** Forget every row; the ring has another number from now on. */
  | { readonly type: "clear"; readonly ring: number }
  /** Show the rows that pass; an empty text shows all, and nothing is answered. */
  | { readonly type: "filter"; readonly filter: number; readonly text: string }
  | { readonly type: "notes"; readonly rows: readonly number[] }
  /** Tell of conversations from now on, or tell no more. */
  | { readonly type: "watch"; readonly watching: boolean }
  | {
      readonly type: "follow";
      readonly id: number;
      readonly conversation: number;
      readonly how: How;
    };

/** From the worker. */
export type Reply =
  /** It is up. */
  | { readonly type: "ready" }
  /** Rows before `end` came; of the filter, `found` are more that pass, in order. */
  | {
      readonly type: "seen";
      readonly ring: number;
      readonly end: number;
      readonly filter: number;
      readonly pending: number;
      readonly found: readonly Float64Array[];
    }
  | { readonly type: "notes"; readonly ring: number; readonly notes: readonly Note[] }
  | { readonly type: "counts"; readonly ring: number; readonly counts: readonly Counts[] }
  /**
   * What changed, the newest last; `size` are kept, and `lost` made room for them. `packetsLost` is
   * what never came here.
   */
  | {
      readonly type: "conversations";
      readonly ring: number;
      readonly changed: readonly Conversation[];
      readonly size: number;
      readonly lost: number;
      readonly packetsLost: number;
    }
  /** Null for a conversation that is not kept any more. */
  | { readonly type: "followed"; readonly id: number; readonly followed: Followed | null };

/** One end of the line between them. */
export interface Port<Send, Take> {
  onmessage: ((event: MessageEvent<Take>) => void) | null;
  postMessage(message: Send, transfer?: Transferable[]): void;
}
