/** What a connected client is, in words. */

import type { ConnectedClient } from "../api/types";
import { causeText } from "./losses";
import { binary, count } from "./units";

const KINDS: Readonly<Record<ConnectedClient["kind"], string>> = {
  packets: "Packets",
  capture: "Live capture",
  events: "Events",
  sse: "Events (SSE)",
  recorder: "Download of a recorder",
  download: "Download of a capture file",
};
const DIRECTIONS: Readonly<Record<string, string>> = {
  received: "from host",
  injected: "to host",
  both: "both directions",
  none: "sends only",
};
const OVERFLOWS: Readonly<Record<string, string>> = {
  drop_oldest: "drops the oldest when full",
  drop_newest: "drops the newest when full",
  close: "is closed when full",
  block: "holds the host back when full",
};

/** "Packets, both directions". */
export function kindText({ kind, direction }: ConnectedClient): string {
  const which = direction && DIRECTIONS[direction];
  return [KINDS[kind] ?? kind, which].filter(Boolean).join(", ");
}

/** The name of its token, or what else it is known by. */
export function tokenText({ token, token_label: label }: ConnectedClient): string {
  return label || (token === "admin" ? "admin token" : token);
}

/** "127.0.0.1:53412"; an IPv6 address is in brackets. */
export function addressText({ address, port }: ConnectedClient): string {
  if (address === null) return "no address";
  return port === null ? address : `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** "Live capture, of admin token at 127.0.0.1:53412", which no other client is. */
export function nameText(client: ConnectedClient): string {
  return `${kindText(client)}, of ${tokenText(client)} at ${addressText(client)}`;
}

/** What the client notices when an administrator disconnects it. */
export function endText({ kind, subprotocol }: ConnectedClient): string {
  return kind === "packets" || kind === "events" || kind === "sse" || subprotocol !== null
    ? "It is told that an administrator did it."
    : "A client that reads over HTTP only sees that its stream ends, and is not told why.";
}

/** What waits for it: "3 of 16,384, 1.8 KiB". */
export function queueText({ queue }: ConnectedClient): string {
  if (queue === null) return "";
  const most = queue.max_length === null ? "" : ` of ${count(queue.max_length)}`;
  const bytes = queue.bytes > 0 ? `, ${binary(queue.bytes)}` : "";
  return `${count(queue.length)}${most}${bytes}`;
}

/** What happens when the queue is full. */
export function policyText({ overflow }: ConnectedClient): string {
  return (overflow && OVERFLOWS[overflow]) ?? "";
}

export function lostCount({ lost }: ConnectedClient): number {
  return Object.values(lost).reduce((sum, one) => sum + one, 0);
}

/** "12: a client's queue was full; 3: not IP packets". */
export function lostText({ lost }: ConnectedClient): string {
  const causes = Object.entries(lost).map(([cause, one]) => {
    const [, reason = cause] = /^(?:rejected|refused)_(.*)$/.exec(cause) ?? [];
    return `${count(one)}: ${causeText(reason)}`;
  });
  return causes.join("; ");
}
