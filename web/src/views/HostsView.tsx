/** The hosts of the networks that agents beside the service have joined. */

import type { Network, NetworkHost } from "../api/types";
import * as text from "../models/host-text";
import { count, momentText, scaled } from "../models/units";
import { useDashboard } from "./context";
import { Name } from "./ui/Name";
import { type Column, TableHead } from "./ui/TableHead";
import "../styles/hosts.css";

const COLUMNS: readonly Column[] = [
  ["Name, state"],
  ["Addresses, adapters", "elastic at-least-m"],
  ["From host", "number"],
  ["To host", "number at-least-s"],
  ["Lost", "number"],
  ["Clock", "number at-least-s"],
  ["Since", "at-least-l"],
];

export function HostsView() {
  const { networks } = useDashboard();
  const list = networks.list.value;
  return (
    <div class="hosts">
      <h1 class="unseen">Hosts</h1>
      {list === null && <p class="waiting">Loading…</p>}
      {list?.length === 0 && <Nothing />}
      {list?.map((network) => (
        <NetworkPanel key={network.name} network={network} />
      ))}
    </div>
  );
}

function NetworkPanel({ network }: { network: Network }) {
  const { name, hosts, connected, more_hosts: more } = network;
  const title = `network-${name}`;
  return (
    <section class="panel" aria-labelledby={title}>
      <header class="panel-head">
        <h2 id={title}>
          Network <Name of={name} />
        </h2>
        <span class="count">{count(hosts.length + more)}</span>
        {!connected && <span class="badge warn">no connection to the bus</span>}
        <span class="grow" />
        <a href="/guide/fleet#see-the-hosts" target="_blank" rel="noopener">
          What these numbers mean
        </a>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
      <section class="scroll" aria-label={`Hosts of ${name}`} tabIndex={0}>
        <table class="grid">
          <TableHead columns={COLUMNS} />
          {hosts.map((host) => (
            <Rows key={host.id} network={network} host={host} />
          ))}
        </table>
      </section>
      {hosts.length + more === 0 && <p class="empty">No hosts yet.</p>}
      {more > 0 && (
        <p class="empty">
          {count(more)} more hosts are not shown here. List them with <code>wintun-api hosts</code>.
        </p>
      )}
    </section>
  );
}

function Rows({ network, host }: { network: Network; host: NetworkHost }) {
  return (
    <tbody>
      <Facts network={network} host={host} />
      <Notes host={host} />
    </tbody>
  );
}

function Facts({ network, host }: { network: Network; host: NetworkHost }) {
  const { networks } = useDashboard();
  const rate = networks.rate(network, host);
  const { id, name, state, version, prefixes = [], since, clock_offset_ms: offset } = host;
  const lost = text.lostCount(host);
  const isLosing = lost > 0 || text.uncountedTimes(host) > 0;
  const leading = prefixes.join(", ");
  const isFar = offset != null && Math.abs(offset) >= text.FAR;
  return (
    <tr>
      <th scope="row">
        <i class="dot" data-state={state} /> <Name of={name} cut />
        {id === network.host && <span class="badge">this host</span>}
        <span class="soft state-words" title={`${id}, ${version}`}>
          {text.STATES[state]}
        </span>
      </th>
      <td class="elastic at-least-m">
        <span class="cut mono" title={leading}>
          {leading || "none"}
        </span>
        <bdi class="cut soft" title={text.adapterLines(host)}>
          {text.adaptersText(host)}
        </bdi>
      </td>
      <Packets total={host.sent} perSecond={rate?.sent} />
      <Packets total={host.delivered} perSecond={rate?.delivered} only="at-least-s" />
      <td class={isLosing ? "number lost" : "number"}>{count(lost)}</td>
      <td class={isFar ? "number at-least-s lost" : "number at-least-s"}>
        {text.clockText(offset)}
      </td>
      <td class="at-least-l">{since == null ? "unknown" : momentText(since)}</td>
    </tr>
  );
}

/** What was refused, lost and counted, in words; nothing if nothing was. */
function Notes({ host }: { host: NetworkHost }) {
  const notes = [
    ["Refused", text.refusedText(host)],
    ["Lost", text.lostText(host)],
    ["Also counted", text.countsText(host)],
    ["Not shown", text.leftOutText(host)],
  ].filter(([, words]) => words);
  if (notes.length === 0) return null;
  return (
    <tr class="notes">
      <td colSpan={COLUMNS.length}>
        {notes.map(([title, words]) => (
          <p key={title}>
            {title}: <bdi>{words}</bdi>
          </p>
        ))}
      </td>
    </tr>
  );
}

function Packets({
  total = 0,
  perSecond,
  only = "",
}: {
  total: number | undefined;
  perSecond: number | undefined;
  only?: string;
}) {
  return (
    <td class={`number ${only}`}>
      {count(total)}
      <span class="soft cut">{perSecond === undefined ? "" : scaled(perSecond, "p/s")}</span>
    </td>
  );
}

function Nothing() {
  return (
    <div class="empty">
      <p>This computer has not joined a network.</p>
      <p>
        Join one with <code>wintun-api join NETWORK --adapter ADAPTER</code> on this computer. Its
        hosts are then shown here.
      </p>
    </div>
  );
}
