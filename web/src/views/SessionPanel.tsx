/** How an adapter's session does: its rates and losses in large, then the causes of these. */

import type { Session } from "../api/types";
import { causeText, isNeutral, lossesOf, lossSummary } from "../models/losses";
import { isRunning } from "../models/sessions";
import { binary, count, momentText, scaled } from "../models/units";
import { useDashboard } from "./context";
import { Direction, type Way } from "./ui/Direction";
import { Facts } from "./ui/Facts";
import { Sparkline } from "./ui/Sparkline";

export function SessionPanel({ session }: { session: Session }) {
  const { sessions } = useDashboard();
  const lost = lossesOf(session.counters.lost).filter(
    ([cause, number]) => number !== 0 && number !== null && cause !== "unclaimed",
  );
  return (
    <section aria-label="Session">
      {session.reason && <p class="reason">{session.reason}</p>}
      <div class="figures">
        <Rate session={session} way="received" />
        <Rate session={session} way="injected" />
        <Losses session={session} />
      </div>
      {isRunning(session) && <Sparkline rates={sessions.rates(session.id)} wide />}
      {lost.length > 0 && (
        <ul class="causes">
          {lost.map(([cause, number]) => (
            <li key={cause} class={isNeutral(cause) ? "soft" : undefined}>
              <strong>{count(number ?? 0)}</strong> {isNeutral(cause) ? "discarded" : "lost"}:{" "}
              {causeText(cause)}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Rate({ session, way }: { session: Session; way: Way }) {
  const { sessions } = useDashboard();
  const rates = sessions.rates(session.id);
  void rates.version.value;
  const now = way === "received" ? rates.receivedNow : rates.injectedNow;
  const { packets, bytes } = session.counters[way];
  return (
    <div class="figure">
      <span class="caption">
        <Direction way={way} />
      </span>
      <strong>{isRunning(session) ? scaled(now.packets, "p/s") : count(packets)}</strong>
      <span class="soft">
        {isRunning(session)
          ? `${scaled(now.bytes * 8, "b/s")} · ${count(packets)} so far`
          : `packets, ${scaled(bytes, "B")}`}
      </span>
    </div>
  );
}

/** Zeros are not worth a line each; nor is "none" true beside packets that were discarded. */
function Losses({ session }: { session: Session }) {
  const { lost, unclaimed } = lossSummary(session.counters.lost);
  const discarded = `${count(unclaimed)} discarded`;
  const isClean = lost === 0 && unclaimed === 0;
  return (
    <div class={lost > 0 ? "figure lost" : "figure"}>
      <span class="caption">{lost === 0 && unclaimed > 0 ? "Discarded" : "Lost"}</span>
      <strong>{isClean ? "None" : count(lost || unclaimed)}</strong>
      <span class="soft">
        {isClean
          ? "no losses"
          : lost === 0
            ? "no client was connected"
            : unclaimed > 0 && discarded}
      </span>
    </div>
  );
}

/** What of a session does not change from second to second. */
export function SessionFacts({ session }: { session: Session }) {
  return (
    <Facts
      facts={[
        ["Started", momentText(session.started_at)],
        ["Ring capacity", `${binary(session.capacity)} per direction`],
        ["Clients", count(session.subscribers)],
        ...(session.restarts > 0 ? ([["Restarts", count(session.restarts)]] as const) : []),
        ["Session ID", <span class="mono">{session.id}</span>],
      ]}
    />
  );
}
