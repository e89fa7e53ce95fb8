/** One adapter: what can be done with it, its settings, its session. */

import type { Adapter } from "../api/types";
import { routeLine } from "../models/rules";
import { isRunning } from "../models/sessions";
import { kindOf } from "./AdapterTable";
import { useDashboard } from "./context";
import { ImpairedBadge } from "./Impaired";
import { NetworkSection } from "./NetworkSection";
import { RecorderSection } from "./recorder/RecorderSection";
import { SessionPanel } from "./SessionPanel";
import { Button } from "./ui/Button";
import { Copy } from "./ui/Copy";
import { Facts } from "./ui/Facts";

export function AdapterDetail({ adapter }: { adapter: Adapter }) {
  const { service, sessions } = useDashboard();
  const session = sessions.of(adapter.guid);
  return (
    <article class="detail" aria-label={`Adapter ${adapter.name}`}>
      <header class="panel-head">
        <h2 class="cut" title={adapter.name}>
          {adapter.name}
        </h2>
        <span class={adapter.state === "up" ? "badge good" : "badge"}>{adapter.state}</span>
        <ImpairedBadge guid={adapter.guid} />
      </header>
      {service.isAdmin.value && <Actions adapter={adapter} />}
      {adapter.wanted && <Wanted adapter={adapter} />}
      <SessionPanel session={session} />
      {session && <RecorderSection session={session} name={adapter.name} />}
      {session && isRunning(session) && <NetworkSection session={session} name={adapter.name} />}
      <h3>Settings</h3>
      <Facts
        facts={[
          ["Addresses", <Lines key="a" of={adapter.addresses} />],
          ["MTU", adapter.mtu === null ? "unknown" : `${adapter.mtu} bytes`],
          ["Metric", adapter.metric?.toString() ?? "automatic"],
          ["Routes", <Lines key="r" of={adapter.routes.map(routeLine)} />],
          ["DNS", <Lines key="d" of={adapter.dns} />],
          ["Search domains", <Lines key="s" of={adapter.dns_search} />],
          [service.poolWord.value, adapter.pool],
          ["Kind", kindOf(adapter)],
        ]}
      />
      <h3>Identity</h3>
      <Facts
        facts={[
          ["GUID", <Copy key="g" text={adapter.guid} label="GUID" />],
          ["LUID", <span class="mono">{adapter.luid}</span>],
          ["Interface", `${adapter.interface_name}, index ${adapter.interface_index}`],
          ["Wintun name", adapter.wintun_name],
          ["IP versions", adapter.families.map((family) => `IPv${family}`).join(", ")],
          ["Handle", adapter.managed ? "held by the service" : "not held"],
          ...(adapter.reboot_required ? ([["Reboot", "asked for"]] as const) : []),
        ]}
      />
    </article>
  );
}

function Actions({ adapter }: { adapter: Adapter }) {
  const { adapters, dialogs, notices, sessions } = useDashboard();
  const { guid, name } = adapter;
  const session = sessions.of(guid);
  const busy = notices.busy.value !== "";
  const ask = (what: "edit" | "delete" | "start") => () => {
    dialogs.open({ name: what, guid });
  };
  const stop = (id: string) =>
    notices.attempt(
      "Stop session",
      () => sessions.end(id),
      () => `The session of ${name} was stopped.`,
    );
  const release = () =>
    notices.attempt(
      "Release",
      () => adapters.release(guid),
      ({ exists }) => (exists ? `${name} was released; the device stays.` : `${name} was deleted.`),
    );
  const open = () =>
    notices.attempt(
      "Open",
      () => adapters.open(adapter.wintun_name, adapter.pool),
      () => `${name} was opened.`,
    );
  return (
    <div class="actions" role="toolbar" aria-label={`Actions on ${name}`}>
      {session && isRunning(session) ? (
        <Button icon="stop" disabled={busy} onClick={() => stop(session.id)}>
          Stop session
        </Button>
      ) : (
        <Button icon="play" kind="primary" disabled={busy} onClick={ask("start")}>
          Start session…
        </Button>
      )}
      <Button disabled={busy} onClick={ask("edit")}>
        Edit…
      </Button>
      {adapter.managed ? (
        <Button disabled={busy} onClick={release}>
          Release
        </Button>
      ) : (
        <Button disabled={busy} onClick={open}>
          Open
        </Button>
      )}
      <Button kind="danger" disabled={busy} onClick={ask("delete")}>
        Delete…
      </Button>
    </div>
  );
}

function Wanted({ adapter }: { adapter: Adapter }) {
  const wanted = Object.entries(adapter.wanted ?? {});
  return (
    <div class="warning-box">
      <p>The system has other settings than were asked for:</p>
      <ul>
        {wanted.map(([name, value]) => (
          <li key={name}>
            {name.replaceAll("_", " ")}: <span class="mono">{textOf(value)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function textOf(value: unknown): string {
  if (value === null) return "automatic";
  return Array.isArray(value)
    ? value.map((one) => (typeof one === "string" ? one : routeLine(one))).join(", ") || "none"
    : String(value);
}

function Lines({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <span class="none">none</span>;
  return (
    <ul class="lines mono">
      {of.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}
