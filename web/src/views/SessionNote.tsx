/** Why a view has no new packets to show, and what to do about it. */

import { isRunning } from "../models/sessions";
import { plainName } from "../models/visible";
import { hrefOf } from "./address";
import { useDashboard } from "./context";

/** `isTarget` says that packets are to be sent there. */
export function SessionNote({ isTarget = false }: { isTarget?: boolean }) {
  const dashboard = useDashboard();
  const { chosen, connection } = dashboard;
  const isRemade =
    isTarget && chosen.state.value === "there" && chosen.targetState.value === "gone";
  const why =
    isRemade && connection.state.value.name === "live"
      ? `${plainName(chosen.name.value)} was deleted, and another adapter now has its name. Choose it above to send to it.`
      : whyNoPackets(dashboard);
  // The place is there before the text comes, so that the text is announced.
  return (
    <div class="session-note" role="status">
      {why && (
        <p>
          {why}{" "}
          <a href={hrefOf("overview", { adapter: nameThere(dashboard) })}>Open the Overview</a>
        </p>
      )}
    </div>
  );
}

function nameThere({ chosen }: ReturnType<typeof useDashboard>): string | null {
  return chosen.state.value === "there" ? chosen.name.value : null;
}

/** Say why there are no new packets, and what to do; nothing while a session runs. */
export function whyNoPackets({
  adapters,
  capture,
  chosen,
  connection,
  service,
  sessions,
}: ReturnType<typeof useDashboard>): string {
  if (connection.state.value.name !== "live") return "";
  const name = plainName(chosen.name.value);
  const start = service.isAdmin.value ? " Start one on the Overview." : "";
  switch (chosen.state.value) {
    case "none":
      return adapters.list.value.length === 0
        ? "There are no adapters yet. Create one on the Overview."
        : `No session is running.${start}`;
    case "unknown":
      return `No adapter is called ${name}. Choose another one above.`;
    case "gone":
      return `${name} was deleted. Choose another adapter above.`;
    case "there": {
      const session = sessions.of(chosen.guid.value);
      if (session !== undefined && isRunning(session)) return "";
      if (session === undefined && sessions.stoppedWithService(capture.session.value)) {
        return `The session on ${name} ended when the service restarted.${start}`;
      }
      const reason = session?.reason ? ` (${session.reason.replace(/\.$/, "")})` : "";
      return session === undefined
        ? `${name} has no session.${start}`
        : `The session on ${name} has ${session.state === "failed" ? "failed" : "ended"}${reason}.${start}`;
    }
  }
}
