/** What happened before this page was opened, as far as the service still knows it. */

import type { Client } from "./client";
import { EVENTS_PROTOCOL, type EventMessage, type ServiceEvent } from "./events";

/** Newer ones a page shows at once; the rest is of the past. */
const MOST = 200;

/** Return the events from `oldest` to `last`, the newest of them where they are many. */
export function pastEvents(
  client: Client,
  oldest: number,
  last: number,
): Promise<readonly ServiceEvent[]> {
  const since = Math.max(oldest - 1, last - MOST);
  if (since === last) return Promise.resolve([]);
  return new Promise((resolve) => {
    const found: ServiceEvent[] = [];
    const end = () => {
      socket.close();
      resolve(found);
    };
    const socket = client.open(`/v1/events?since=${since}`, EVENTS_PROTOCOL, {
      onMessage: (data) => {
        const message = JSON.parse(String(data)) as EventMessage;
        if (message.type === "snapshot" || message.type === "missed") return end();
        if (message.id <= last) found.push(message);
        if (message.id >= last) end();
      },
      onClose: end,
    });
  });
}
