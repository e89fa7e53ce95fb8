/** Who talked most with whom in the last two minutes; a row is one filter away from its packets. */

import { groupWord } from "../../models/conversations";
import { count, scaled } from "../../models/units";
import { goTo } from "../address";
import { useDashboard } from "../context";
import { Direction } from "../ui/Direction";
import { type Column, TableHead } from "../ui/TableHead";

const SHOWN = 12;
const COLUMNS: readonly Column[] = [
  ["Endpoint A (this host)"],
  ["Endpoint B"],
  [<Direction way="received" />, "number"],
  [<Direction way="injected" />, "number"],
  ["Packets", "number at-least-s"],
];

export function TopTalkers() {
  const { adapters, chosen, traffic } = useDashboard();
  const own = adapters.find(chosen.guid.value)?.addresses ?? [];
  traffic.version.value;
  const talkers = traffic.conversations.top(SHOWN);
  if (talkers.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="talkers-title">
      <header class="panel-head">
        <h2 id="talkers-title">Top talkers</h2>
        <span class="soft">last 2 minutes, by bytes, packets that reached this page</span>
      </header>
      <div class="scroll">
        <table class="grid">
          <TableHead columns={COLUMNS} />
          <tbody>
            {talkers.map(({ a, b, packets, receivedBytes, injectedBytes }) => (
              <tr key={`${a} ${b}`}>
                <td class="address">
                  <HostEnd address={a} group={groupWord(a, own)} />
                </td>
                <td class="address">
                  <button
                    type="button"
                    class="text-button"
                    title={`Show the packets between ${a} and ${b}`}
                    onClick={() => goTo("packets", { filter: filterOf(a, b), packet: null })}
                  >
                    {b}
                  </button>
                </td>
                <td class="number">{scaled(receivedBytes, "B")}</td>
                <td class="number">{scaled(injectedBytes, "B")}</td>
                <td class="number at-least-s">{count(packets)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The end of this host, which others may reach by an address that is not its own. */
function HostEnd({ address, group }: { address: string; group: string }) {
  if (group === "") return address;
  return (
    <span class="soft">
      {group} {address}
    </span>
  );
}

function filterOf(a: string, b: string): string {
  const field = a.includes(":") ? "ipv6.addr" : "ip.addr";
  return `${field} == ${a} and ${field} == ${b}`;
}
