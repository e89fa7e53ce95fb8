/** The place in a view where a followed conversation is shown, and the way to open it. */

import { useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { How } from "../../analysis/conversation";
import type { Dashboard } from "../../models/dashboard";
import { layOver, over } from "../address";
import { useDashboard } from "../context";
import { later } from "../ui/later";
import "../../styles/follow.css";

const FollowDialog = later(async () => (await import("./FollowDialog")).FollowDialog);
const WHAT = "follow";

/** The dialog over the view while something is followed; Back takes it away, Forward brings it. */
export function Follow() {
  const dashboard = useDashboard();
  const { follow } = dashboard;
  useSignalEffect(() => {
    const [what, id, how, packets] = over.value.split(" ");
    // Conversations of other packets have the same numbers.
    if (what !== WHAT || packets !== packetsOf(dashboard)) follow.close();
    else void follow.open(Number(id), how as How);
  });
  useEffect(() => () => follow.close(), [follow]);
  return follow.state.value.name === "closed" ? null : <FollowDialog />;
}

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

/** What the numbers of conversations are of. */
function packetsOf({ capture }: Dashboard): string {
  return `${capture.generation.peek()}.${capture.engine.restarts}`;
}
