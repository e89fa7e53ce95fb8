/** The adapters: one row each, all of it live. */

import type { Adapter } from "../api/types";
import { NO_RATE } from "../models/rates";
import { isRunning } from "../models/sessions";
import { scaled } from "../models/units";
import { useDashboard } from "./context";
import { ImpairedBadge } from "./Impaired";
import { moveBetweenRows } from "./ui/rows";
import { Sparkline } from "./ui/Sparkline";
import { type Column, TableHead } from "./ui/TableHead";

const COLUMNS: readonly Column[] = [
  ["Name, pool"],
  ["Last minute", "at-least-s"],
  [<span class="received">Received</span>, "number"],
  [<span class="injected">Injected</span>, "number at-least-l"],
  ["Addresses", "elastic at-least-m"],
  ["MTU", "number at-least-m"],
];

export function AdapterTable() {
  const { adapters, service } = useDashboard();
  const list = adapters.list.value;
  if (list.length === 0) {
    return (
      <p class="empty">
        No adapters yet.
        {service.isAdmin.value && " Create one, or open an existing one."}
      </p>
    );
  }
  return (
    <div class="scroll">
      <table class="grid">
        <TableHead columns={COLUMNS} />
        <tbody onKeyDown={moveBetweenRows}>
          {list.map((adapter) => (
            <Row key={adapter.guid} adapter={adapter} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ adapter }: { adapter: Adapter }) {
  const { adapters, sessions } = useDashboard();
  const selected = adapters.selected.value?.guid === adapter.guid;
  const session = sessions.of(adapter.guid);
  const rates = session && isRunning(session) ? sessions.rates(session.id) : null;
  void rates?.version.value;
  const select = () => adapters.select(adapter.guid);
  // The row takes clicks; its button is there for the keyboard.
  return (
    <tr class={selected ? "selected" : undefined} onClick={select}>
      <th scope="row">
        <button type="button" class="row-button" aria-pressed={selected} onClick={select}>
          <i class="dot" data-state={adapter.state} />
          <span class="cut">{adapter.name}</span>
          <span class="unseen">, {adapter.state}</span>
        </button>
        <ImpairedBadge guid={adapter.guid} />
        {adapter.wanted && <span class="badge warn">settings differ</span>}
        <span class="soft cut">
          {adapter.pool}, {kindOf(adapter)}
        </span>
      </th>
      <td class="at-least-s">
        {rates ? <Sparkline rates={rates} /> : <NoSession adapter={adapter} />}
      </td>
      <td class="number">{rates && scaled((rates.receivedNow ?? NO_RATE).packets, "p/s")}</td>
      <td class="number at-least-l">{rates && scaled(rates.injectedNow.packets, "p/s")}</td>
      <td class="at-least-m elastic mono" title={adapter.addresses.join(", ")}>
        {adapter.addresses.join(", ") || "none"}
      </td>
      <td class="number at-least-m">{adapter.mtu === null ? "unknown" : `${adapter.mtu} B`}</td>
    </tr>
  );
}

function NoSession({ adapter }: { adapter: Adapter }) {
  return <span class="none">{adapter.managed ? "no session" : "not opened"}</span>;
}

/** How long an adapter lives. */
export function kindOf(adapter: Adapter): string {
  if (adapter.orphan) return "orphan";
  return adapter.persistent ? "persistent" : "until the service ends";
}
