/** Whose packets a view shows, at the head of the views that this holds for. */

import type { Adapter } from "../api/types";
import { isRunning } from "../models/sessions";
import { plainName } from "../models/visible";
import { currentTab, goTo } from "./address";
import { useDashboard } from "./context";

const ALL = "*";
const GONE = "\u0000"; // an adapter that is not there has no GUID that others cannot have
/** What is chosen where it is no adapter that is there. */
const VALUES: Readonly<Record<string, string>> = { none: "", gone: GONE, unknown: GONE };

interface Props {
  readonly label?: string;
  /** Whether all adapters are chosen together, in a view that can show them so. */
  readonly whole?: boolean;
  /** Whether it says where packets are sent to. */
  readonly isTarget?: boolean;
}

export function SessionPicker({ label = "Packets of", whole, isTarget }: Props) {
  const { adapters, chosen } = useDashboard();
  const state = (isTarget ? chosen.targetState : chosen.state).value;
  const choose = (guid: string) => {
    const adapter = adapters.find(guid);
    const all = guid === ALL ? 1 : null;
    // The choice before it is one step back.
    goTo(currentTab(), adapter ? { all, adapter: adapter.name, packet: null } : { all });
    if (adapter !== undefined) chosen.choose(adapter);
  };
  return (
    <label class="picker">
      <span>{label}</span>
      <select
        value={whole ? ALL : (VALUES[state] ?? chosen.guid.value)}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {whole !== undefined && <option value={ALL}>All adapters</option>}
        {state === "none" && <option value="">No adapter</option>}
        {(state === "gone" || state === "unknown") && (
          <option value={GONE} disabled>
            {plainName(chosen.name.value)} ({state === "gone" ? "deleted" : "not found"})
          </option>
        )}
        {adapters.list.value.map((adapter) => (
          <Choice key={adapter.guid} adapter={adapter} />
        ))}
      </select>
    </label>
  );
}

function Choice({ adapter }: { adapter: Adapter }) {
  const { chosen, sessions } = useDashboard();
  const session = sessions.of(adapter.guid);
  const former = adapter.guid === chosen.guid.value ? plainName(chosen.former.value) : "";
  const name = plainName(adapter.name);
  const runs = session !== undefined && isRunning(session);
  const impaired = runs && session.impairment != null;
  return (
    <option value={adapter.guid}>
      {impaired && "⚠ "}
      {former === "" ? name : `${former} (now ${name})`}
      {!runs && " (no session)"}
      {impaired && " (impaired)"}
    </option>
  );
}
