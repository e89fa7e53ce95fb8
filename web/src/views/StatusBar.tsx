/** The line below: how the page is tied to the service, and what the service is. */

import type { ConnectionState } from "../models/connection";
import { useDashboard } from "./context";
import { Countdown } from "./ui/Countdown";

const WORDS: Record<ConnectionState["name"], string> = {
  "signed-out": "Signed out",
  connecting: "Connecting",
  syncing: "Syncing",
  live: "Live",
  lost: "Disconnected",
  disconnected: "Disconnected",
};

export function StatusBar() {
  const { access, capture, connection, eventsClient, service } = useDashboard();
  const state = connection.state.value;
  const system = service.system.value;
  const driver = service.driver.value;
  const isFile = capture.file.value !== null;
  const word =
    state.name === "lost" && state.stopped
      ? "Service stopped"
      : state.name === "live" && isFile
        ? "Connected" // what a file shows is not live
        : WORDS[state.name];
  const mayNot = (["admin", "inject", "capture"] as const).filter((scope) => !service.can(scope));
  return (
    <footer class="status">
      <span class="state" data-state={state.name} role="status">
        <i class="dot" />
        {word}
      </span>
      {state.name === "lost" && (
        <>
          <span class="loss">
            {state.reason} Next attempt in <Countdown until={state.retryAt} />.
          </span>
          <button type="button" class="text-button" onClick={() => connection.retry()}>
            Try now
          </button>
        </>
      )}
      {state.name === "disconnected" && (
        <>
          <span class="loss">
            {access.hasEnded(eventsClient)
              ? "You disconnected this page. It stays disconnected until you connect it again."
              : state.reason}
          </span>
          <button type="button" class="text-button" onClick={() => void connection.connect()}>
            Connect again
          </button>
        </>
      )}
      <span class="grow" />
      {system !== null && mayNot.length > 0 && (
        <span class="badge warn" title={missing(mayNot)}>
          {mayNot.length === 3 ? "Read-only" : `No ${mayNot.join(", ")}`}
          <span class="unseen">. {missing(mayNot)}</span>
        </span>
      )}
      {driver && (
        <span class="wide">
          {driver.name} driver{driver.running_version && ` ${driver.running_version}`}
        </span>
      )}
      {system && <span class="wide">wintun-api {system.version}</span>}
    </footer>
  );
}

function missing(scopes: readonly string[]): string {
  const [only] = scopes;
  return scopes.length === 1
    ? `This token does not have the scope ${only}.`
    : `This token does not have the scopes ${scopes.slice(0, -1).join(", ")} and ${scopes.at(-1)}.`;
}
