/** An adapter's session: its state, and its counters by cause. */

import type { Session } from "../api/types";
import { causeText, lossesOf } from "../models/losses";
import { isRunning } from "../models/sessions";
import { binary, clock, count, scaled } from "../models/units";
import { useDashboard } from "./context";
import { ImpairedBadge } from "./Impaired";
import { Facts } from "./ui/Facts";
import { type Column, TableHead } from "./ui/TableHead";

// Losses have packets alone, so that is the last column, and their causes have room for a line.
const COLUMNS: readonly Column[] = [
  [<span class="unseen">Counter</span>],
  ["Rate", "number"],
  ["Bytes", "number"],
  ["Packets", "number"],
];

export function SessionPanel({ session }: { session: Session | undefined }) {
  if (session === undefined) return null;
  const { counters } = session;
  return (
    <section aria-label="Session">
      <h3>
        Session <span class={badgeOf(session)}>{session.state}</span>
        <ImpairedBadge guid={session.adapter} />
      </h3>
      {session.reason && <p class="reason">{session.reason}</p>}
      <table class="counters">
        <TableHead columns={COLUMNS} />
        <tbody>
          <Direction session={session} name="received" />
          <Direction session={session} name="injected" />
          {shownLosses(counters.lost).map(([cause, lost]) => (
            <tr key={cause} class={lost && cause !== "unclaimed" ? "lost" : "soft"}>
              <th scope="row" colSpan={3}>
                {cause !== "unclaimed" && "lost: "}
                {causeText(cause)}
              </th>
              <td class="number">{lost === null ? "unknown" : count(lost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Facts
        facts={[
          ["Ring capacity", binary(session.capacity)],
          ["Started", clock(new Date(session.started_at)).slice(0, 8)],
          ["Subscribers", count(session.subscribers)],
          ["Restarts", count(session.restarts)],
          ["Id", <span class="mono">{session.id}</span>],
        ]}
      />
    </section>
  );
}

function Direction({ session, name }: { session: Session; name: "received" | "injected" }) {
  const { sessions } = useDashboard();
  const rates = sessions.rates(session.id);
  void rates.version.value;
  const now = name === "received" ? rates.receivedNow : rates.injectedNow;
  return (
    <tr>
      <th scope="row">
        <span class={name}>{name}</span>
      </th>
      <td class="number">{isRunning(session) ? scaled(now.bytes * 8, "b/s") : ""}</td>
      <td class="number">{scaled(session.counters[name].bytes, "B")}</td>
      <td class="number">{count(session.counters[name].packets)}</td>
    </tr>
  );
}

/** These causes are shown at 0, too; the rare ones are not. */
const COMMON: readonly string[] = ["ring", "unclaimed", "queue", "ring_full"];

function shownLosses(lost: Session["counters"]["lost"]) {
  return lossesOf(lost).filter(([cause, count]) => count !== 0 || COMMON.includes(cause));
}

function badgeOf(session: Session): string {
  if (session.state === "failed") return "badge bad";
  return isRunning(session) ? "badge good" : "badge";
}
