/** What the page and its worker say to each other. */

import type { Field } from "../packet/dissection";
import type { Bounds, Item } from "./ring";

/** What each packet of these rows is, by the packets around it. */
export interface Note {
  readonly row: number;
  /** What stands before its line, "[TCP Retransmission] ". */
  readonly prefix: string;
  readonly fields: readonly Field[];
}

/** How many packets and bytes of each kind came in a second. */
export interface Counts {
  readonly second: number;
  readonly packets: readonly number[];
  readonly bytes: readonly number[];
}

export type How = "tcp" | "udp" | "http";

/** From the page. What is about rows carries the number of their ring. */
export type Request =
  /** Begin anew, with an empty ring whose first row has this number. */
  | { readonly type: "open"; readonly ring: number; readonly bounds: Bounds; readonly row: number }
  | { readonly type: "feed"; readonly items: readonly Item[] }
  | { readonly type: "hold"; readonly hold: boolean }
  | { readonly type: "clear" }
  /** Show the rows that pass; an empty text shows all, and nothing is answered. */
  | { readonly type: "filter"; readonly filter: number; readonly text: string }
  | { readonly type: "notes"; readonly rows: readonly number[] }
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
  | { readonly type: "conversations"; readonly ring: number; readonly list: readonly unknown[] }
  | { readonly type: "followed"; readonly id: number; readonly followed: unknown }
  | { readonly type: "unfollowed"; readonly id: number; readonly message: string };

/** One end of the line between them. */
export interface Port<Send, Take> {
  onmessage: ((event: MessageEvent<Take>) => void) | null;
  postMessage(message: Send, transfer?: Transferable[]): void;
}
