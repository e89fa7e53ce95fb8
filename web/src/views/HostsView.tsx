/** The hosts of the networks that agents beside the service have joined. */

import type { Network, NetworkHost } from "../api/types";
import { adaptersText, clockText, FAR, lostCount, lostText, STATES } from "../models/host-text";
import { count, momentText, scaled } from "../models/units";
import { useDashboard } from "./context";
import { type Column, TableHead } from "./ui/TableHead";

const COLUMNS: readonly Column[] = [
  ["Name, state"],
  ["Addresses, adapters", "elastic at-least-m"],
  ["Sent", "number"],
  ["Delivered", "number at-least-s"],
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
          Network <bdi>{name}</bdi>
        </h2>
        <span class="count">{count(hosts.length + more)}</span>
        {!connected && <span class="badge warn">no connection to the bus</span>}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
      <section class="scroll" aria-label={`Hosts of ${name}`} tabIndex={0}>
        <table class="grid">
          <TableHead columns={COLUMNS} />
          <tbody>
            {hosts.map((host) => (
              <Row key={host.id} network={network} host={host} />
            ))}
          </tbody>
        </table>
      </section>
      {hosts.length + more === 0 && <p class="empty">No host is known yet.</p>}
      {more > 0 && (
        <p class="empty">{count(more)} more hosts are listed by wintun-api hosts only.</p>
      )}
    </section>
  );
}

function Row({ network, host }: { network: Network; host: NetworkHost }) {
  const { networks } = useDashboard();
  const rate = networks.rate(network, host);
  const { id, name, state, version, prefixes = [], since, clock_offset_ms: offset } = host;
  const lost = lostCount(host);
  const leading = prefixes.join(", ");
  const has = adaptersText(host);
  const isFar = offset != null && Math.abs(offset) >= FAR;
  return (
    <tr>
      <th scope="row">
        <i class="dot" data-state={state} />{" "}
        <bdi class="cut" title={name}>
          {name}
        </bdi>
        {id === network.host && <span class="badge">this host</span>}
        <span class="soft state-words" title={`${id}, ${version}`}>
          {STATES[state]}
        </span>
      </th>
      <td class="elastic at-least-m">
        <span class="cut mono" title={leading}>
          {leading || "none"}
        </span>
        <bdi class="cut soft" title={has}>
          {has}
        </bdi>
      </td>
      <Packets total={host.sent} perSecond={rate?.sent} />
      <Packets total={host.delivered} perSecond={rate?.delivered} only="at-least-s" />
      <td class={lost > 0 ? "number lost" : "number"} title={lostText(host)}>
        {count(lost)}
        <span class="soft cut">{lostText(host)}</span>
      </td>
      <td class={isFar ? "number at-least-s lost" : "number at-least-s"}>{clockText(offset)}</td>
      <td class="at-least-l">{since == null ? "not known" : momentText(since)}</td>
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
      <p>No network is joined.</p>
      <p>
        Join one with <code>wintun-api join NETWORK --adapter ADAPTER</code> on this machine; its
        hosts are shown here then.
      </p>
    </div>
  );
}
