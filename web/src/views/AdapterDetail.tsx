/** One adapter: how it does, what can be done with it, then its settings and its identity. */

import type { Adapter } from "../api/types";
import { stateOf } from "../models/adapter-list";
import { type Deviation, deviation } from "../models/deviation";
import { routeLine } from "../models/rules";
import { isRunning } from "../models/sessions";
import { plainName } from "../models/visible";
import { lifetimeOf, STATE_WORDS } from "./AdapterTable";
import { useDashboard } from "./context";
import { ImpairedBadge } from "./Impaired";
import { NetworkSection } from "./NetworkSection";
import { RecorderSection } from "./recorder/RecorderSection";
import { SessionFacts, SessionPanel } from "./SessionPanel";
import { Button } from "./ui/Button";
import { Copy } from "./ui/Copy";
import { type Fact, Facts } from "./ui/Facts";
import { Name } from "./ui/Name";

const BADGES: Readonly<Record<string, string>> = {
  up: "badge good",
  starting: "badge warn",
  down: "badge warn",
  failed: "badge bad",
};

export function AdapterDetail({ adapter }: { adapter: Adapter }) {
  const { service, sessions } = useDashboard();
  const session = sessions.of(adapter.guid);
  const state = stateOf(adapter, session);
  return (
    <article class="detail" aria-label={`Adapter ${plainName(adapter.name)}`}>
      <header class="panel-head">
        <h2>
          <Name of={adapter.name} cut />
        </h2>
        <span class={BADGES[state] ?? "badge"}>{STATE_WORDS[state]}</span>
        <ImpairedBadge guid={adapter.guid} />
      </header>
      {service.isAdmin.value && <Actions adapter={adapter} />}
      {adapter.wanted && <Wanted adapter={adapter} wanted={adapter.wanted} />}
      {session ? (
        <SessionPanel session={session} />
      ) : (
        <p class="reason">No session is running on this adapter, so it exchanges no packets.</p>
      )}
      {session && isRunning(session) && (
        <NetworkSection session={session} name={plainName(adapter.name)} />
      )}
      {session && <RecorderSection session={session} name={plainName(adapter.name)} />}
      <h3>Settings</h3>
      <Facts
        facts={[
          ["Addresses", <Copies key="a" of={adapter.addresses} />],
          ["MTU", adapter.mtu === null ? "Unknown" : `${adapter.mtu} bytes`],
          ["Metric", adapter.metric?.toString() ?? "Automatic"],
          ["Routes", <Lines key="r" of={adapter.routes.map(routeLine)} />],
          ...otherRoutes(adapter),
          ["DNS servers", <Lines key="d" of={adapter.dns} />],
          ["Search domains", <Lines key="s" of={adapter.dns_search} />],
          [service.poolWord.value, <Name key="p" of={adapter.pool} />],
          ["Lifetime", lifetimeOf(adapter)],
        ]}
      />
      {session && (
        <details open>
          <summary>Session</summary>
          <SessionFacts session={session} />
        </details>
      )}
      <details open>
        <summary>Identity</summary>
        <Facts
          facts={[
            ["GUID", <Copy key="g" text={adapter.guid} label="GUID" />],
            ["LUID", <span class="mono">{adapter.luid}</span>],
            ["Interface", `${plainName(adapter.interface_name)}, index ${adapter.interface_index}`],
            ["Wintun name", <Name key="w" of={adapter.wintun_name} />],
            ["IP versions", adapter.families.map((family) => `IPv${family}`).join(", ")],
            ["Opened", adapter.managed ? "By this service" : "No"],
            ...(adapter.reboot_required ? ([["Reboot", "Required"]] as const) : []),
          ]}
        />
      </details>
    </article>
  );
}

function Actions({ adapter }: { adapter: Adapter }) {
  const { adapters, dialogs, notices, sessions } = useDashboard();
  const { guid } = adapter;
  const name = plainName(adapter.name);
  const session = sessions.of(guid);
  const runs = session !== undefined && isRunning(session);
  const busy = notices.busy.value !== "";
  const ask = (what: "edit" | "delete" | "start") => () => {
    dialogs.open({ name: what, guid });
  };
  const stop = (id: string) =>
    notices.attempt(
      `Could not stop the session on ${name}`,
      () => sessions.end(id),
      () => `Session on ${name} stopped.`,
    );
  const release = () =>
    notices.attempt(
      `Could not release ${name}`,
      () => adapters.release(guid),
      ({ exists }) =>
        exists
          ? `${name} was released. The adapter still exists.`
          : `${name} was released, which deleted it.`,
    );
  const open = () =>
    notices.attempt(
      `Could not open ${name}`,
      () => adapters.open(adapter.wintun_name, adapter.pool),
      () => `${name} was opened.`,
    );
  return (
    <div class="actions" role="toolbar" aria-label={`Actions on ${name}`}>
      {runs ? (
        <Button icon="stop" online disabled={busy} onClick={() => stop(session.id)}>
          Stop session
        </Button>
      ) : (
        <Button icon="play" online kind="primary" disabled={busy} onClick={ask("start")}>
          Start session…
        </Button>
      )}
      <Button online disabled={busy} onClick={ask("edit")}>
        Edit…
      </Button>
      {adapter.managed ? (
        <Button
          online
          disabled={busy || runs}
          title={
            runs
              ? "Stop the session before you release the adapter."
              : "Releases the adapter so that another program can open it."
          }
          onClick={release}
        >
          Release
        </Button>
      ) : (
        <Button online disabled={busy} onClick={open}>
          Open
        </Button>
      )}
      <Button kind="danger" online disabled={busy} onClick={ask("delete")}>
        Delete…
      </Button>
    </div>
  );
}

function Wanted({ adapter, wanted }: { adapter: Adapter; wanted: NonNullable<Adapter["wanted"]> }) {
  const { adapters, notices, service } = useDashboard();
  const { link, notSet, extra, removed } = deviation(adapter, wanted);
  const name = plainName(adapter.name);
  const restore = () =>
    notices.attempt(
      `Could not restore ${name}`,
      () => adapters.restore(adapter.guid),
      () =>
        `${name} has its requested settings again.${removed && ` Restore also removed ${removed}.`}`,
    );
  return (
    <div class="warning-box">
      <p>The adapter differs from what was requested:</p>
      <ul>
        {link !== "" && <li>{link}</li>}
        <Deviating title="Not set" of={notSet} />
        <Deviating title="Set by other programs" of={extra} />
      </ul>
      {service.isAdmin.value ? (
        <>
          {removed && (
            <p>
              Restore also removes <span class="mono">{removed}</span>, which other programs added.
            </p>
          )}
          <Button online disabled={notices.busy.value !== ""} onClick={restore}>
            Restore
          </Button>
        </>
      ) : (
        <p>An administrator can restore the requested settings.</p>
      )}
    </div>
  );
}

function Deviating({ title, of }: { title: string; of: Deviation["notSet"] }) {
  if (of.length === 0) return null;
  return (
    <li>
      {title}:{" "}
      {of.map(([name, value], index) => (
        <span key={name}>
          {index > 0 && "; "}
          {name} <span class="mono">{value}</span>
        </span>
      ))}
    </li>
  );
}

/** Return the row of the routes that other programs have set, if there are any. */
function otherRoutes({ other_routes: routes, other_routes_total: total }: Adapter): Fact[] {
  if (total === 0) return [];
  const more = total - routes.length;
  const lines = routes.map(routeLine);
  if (more > 0) lines.push(`and ${more.toLocaleString("en")} more`);
  return [["Other routes", <Lines key="o" of={lines} />]];
}

function Lines({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <span class="none">None</span>;
  return (
    <ul class="lines mono">
      {of.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

function Copies({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <span class="none">None</span>;
  return (
    <ul class="lines">
      {of.map((line) => (
        <li key={line}>
          <Copy text={line} copied={line.split("/")[0] ?? line} label={`address ${line}`} />
        </li>
      ))}
    </ul>
  );
}
