/** How the stream of packets is, and what can be done about it. */

import type { StreamState } from "../../api/packet-stream";
import { useDashboard } from "../context";
import { whyNoPackets } from "../SessionNote";
import { Countdown } from "../ui/Countdown";

const WORDS: Readonly<Record<StreamState["name"], string>> = {
  idle: "Idle",
  connecting: "Connecting",
  syncing: "Syncing",
  live: "Live",
  lost: "Disconnected",
  ended: "Ended",
};

export function StreamStatus() {
  const dashboard = useDashboard();
  const { access, capture } = dashboard;
  const state = capture.state.value;
  const reason = state.name === "lost" || state.name === "ended" ? state.reason : "";
  // The line below the view has the one lamp of the page, and a note tells of a session that is
  // over; here is only what differs from these.
  const isTold = state.name === "ended" && !state.again && whyNoPackets(dashboard) !== "";
  const isPlain = state.name === "live" || state.name === "idle" || isTold;
  return (
    <span class={`stream ${state.name}${isPlain ? " unseen" : ""}`} role="status" title={reason}>
      <span class="dot" aria-hidden="true" />
      {state.name === "ended" && state.again ? WORDS.lost : WORDS[state.name]}
      {state.name === "lost" && (
        <>
          <span class="countdown">
            , next attempt in <Countdown until={state.retryAt} />
          </span>
          <button type="button" class="text-button" onClick={() => capture.retry()}>
            Try now
          </button>
        </>
      )}
      {state.name === "ended" && (
        <span class="reason">
          {state.again && access.hasEnded(capture.hello.value?.client)
            ? "You disconnected the packet stream of this page."
            : reason}
        </span>
      )}
      {state.name === "ended" && state.again && (
        <button type="button" class="text-button" onClick={() => capture.reconnect()}>
          Connect again
        </button>
      )}
    </span>
  );
}
