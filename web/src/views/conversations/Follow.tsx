/** The place in a view where a followed conversation is shown, and the way to open it. */

import { useEffect } from "preact/hooks";
import type { How } from "../../analysis/conversation";
import type { Dashboard } from "../../models/dashboard";
import { useDashboard } from "../context";
import { later } from "../ui/later";
import "../../styles/follow.css";

const FollowDialog = later(async () => (await import("./FollowDialog")).FollowDialog);

/** The dialog over the view while something is followed; it goes with the view. */
export function Follow() {
  const { follow } = useDashboard();
  useEffect(() => {
    const close = () => follow.close();
    window.addEventListener("popstate", close);
    return () => {
      window.removeEventListener("popstate", close);
      close();
    };
  }, [follow]);
  return follow.state.value.name === "closed" ? null : <FollowDialog />;
}

/**
 * Follow the conversation of a row; `how` is "tcp", "udp" or "http". Returns false for a row whose
 * conversation is not known (yet).
 */
export function openFollow({ capture, follow }: Dashboard, row: number, how: How): boolean {
  const id = capture.engine.conversationOf(row);
  if (id === 0) return false;
  void follow.open(id, how);
  return true;
}
