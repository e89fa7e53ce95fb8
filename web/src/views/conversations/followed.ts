/** Which conversation is followed: an entry of the browser's history over the view says it. */

import type { How } from "../../analysis/conversation";
import type { Dashboard } from "../../models/dashboard";
import { layOver, over } from "../address";

const WHAT = "follow";

/** Follow a conversation over the view that is shown. */
export function showFollowed(dashboard: Dashboard, id: number, how: How): void {
  layOver([WHAT, id, how, packetsOf(dashboard)].join(" "));
}

/**
 * Follow the conversation of a row; `how` is "tcp", "udp" or "http". Returns false for a row whose
 * conversation is not known (yet).
 */
export function openFollow(dashboard: Dashboard, row: number, how: How): boolean {
  const id = dashboard.capture.engine.conversationOf(row);
  if (id === 0) return false;
  showFollowed(dashboard, id, how);
  return true;
}

/** Open in the model what the present entry names, or close it where that names nothing. */
export function readFollowed(dashboard: Dashboard): void {
  const { follow } = dashboard;
  const [what, id, how, packets] = over.value.split(" ");
  // Conversations of other packets have the same numbers.
  if (what !== WHAT || packets !== packetsOf(dashboard)) follow.close();
  else void follow.open(Number(id), how as How);
}

/** What the numbers of conversations are of. */
function packetsOf({ capture }: Dashboard): string {
  return `${capture.generation.peek()}.${capture.engine.restarts}`;
}
