/** The place in a view where a followed conversation is shown. */

import { useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { later } from "../ui/later";
import { readFollowed } from "./followed";
import "../../styles/follow.css";

const FollowDialog = later(async () => (await import("./FollowDialog")).FollowDialog);

/** The dialog over the view while something is followed; Back takes it away, Forward brings it. */
export function Follow() {
  const dashboard = useDashboard();
  const { follow } = dashboard;
  useSignalEffect(() => readFollowed(dashboard));
  useEffect(() => () => follow.close(), [follow]);
  return follow.state.value.name === "closed" ? null : <FollowDialog />;
}
