/** The adapters: one row each, all of it live. */

import type { Adapter } from "../api/types";
import { NO_RATE } from "../models/rates";
import { isRunning } from "../models/sessions";
import { scaled } from "../models/units";
import { useDashboard } from "./context";
import { Sparkline } from "./ui/Sparkline";

export function AdapterTable() {
  const { adapters, service } = useDashboard();
  const list = adapters.list.value;
  if (list.length === 0) {
    return (
      <p class="empty">
        There is no adapter.
        {service.isAdmin.value && " New adapter makes one; Open… takes one that a pool has."}
      </p>
    );
  }
  return (
    <div class="scroll">
      <table class="grid">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="at-least-s">
              Last minute
            </th>
            <th scope="col" class="number">
              <span class="received">Received</span>
            </th>
            <th scope="col" class="number at-least-s">
              <span class="injected">Injected</span>
            </th>
            <th scope="col" class="at-least-m">
              Addresses
            </th>
            <th scope="col" class="number at-least-m">
              MTU
            </th>
            <th scope="col" class="at-least-l">
              Pool
            </th>
            <th scope="col" class="at-least-l">
              Kind
            </th>
          </tr>
        </thead>
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
        {adapter.wanted && <span class="badge warn">settings differ</span>}
      </th>
      <td class="at-least-s">
        {rates ? <Sparkline rates={rates} /> : <NoSession adapter={adapter} />}
      </td>
      <td class="number">{rates && scaled((rates.receivedNow ?? NO_RATE).packets, "p/s")}</td>
      <td class="number at-least-s">{rates && scaled(rates.injectedNow.packets, "p/s")}</td>
      <td class="at-least-m mono">
        <span class="cut" title={adapter.addresses.join(", ")}>
          {adapter.addresses.join(", ") || "none"}
        </span>
      </td>
      <td class="number at-least-m">{adapter.mtu === null ? "unknown" : `${adapter.mtu} B`}</td>
      <td class="at-least-l">{adapter.pool}</td>
      <td class="at-least-l">{kindOf(adapter)}</td>
    </tr>
  );
}

function NoSession({ adapter }: { adapter: Adapter }) {
  return <span class="none">{adapter.managed ? "no session" : "not opened"}</span>;
}

/** How long an adapter lives. */
export function kindOf(adapter: Adapter): string {
  if (adapter.orphan) return "orphan";
  return adapter.persistent ? "persistent" : "with the service";
}

function moveBetweenRows(event: KeyboardEvent): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const body = event.currentTarget as HTMLElement;
  const buttons = [...body.querySelectorAll<HTMLButtonElement>(".row-button")];
  const next = buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step];
  next?.focus();
  next?.click();
}
