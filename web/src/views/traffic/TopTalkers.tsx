/** Who talked most with whom in the last two minutes; a row is one filter away from its packets. */

import { count, scaled } from "../../models/units";
import { goTo } from "../address";
import { useDashboard } from "../context";
import { type Column, TableHead } from "../ui/TableHead";

const SHOWN = 12;
const COLUMNS: readonly Column[] = [
  ["Between"],
  ["and"],
  ["Received", "number"],
  ["Injected", "number"],
  ["Packets", "number"],
];

export function TopTalkers() {
  const { table, traffic } = useDashboard();
  traffic.version.value;
  const talkers = traffic.conversations.top(SHOWN);
  return (
    <section class="panel" aria-labelledby="talkers-title">
      <header class="panel-head">
        <h2 id="talkers-title">Top talkers</h2>
        <span class="soft">the last two minutes, by bytes</span>
      </header>
      {talkers.length === 0 ? (
        <p class="nothing">No traffic yet.</p>
      ) : (
        <table class="grid">
          <TableHead columns={COLUMNS} />
          <tbody>
            {talkers.map(({ a, b, packets, receivedBytes, injectedBytes }) => (
              <tr key={`${a} ${b}`}>
                <td class="address">{a}</td>
                <td class="address">
                  <button
                    type="button"
                    class="text-button"
                    title={`Show the packets between ${a} and ${b}`}
                    onClick={() => {
                      table.filter(`host ${a} and host ${b}`);
                      goTo("packets");
                    }}
                  >
                    {b}
                  </button>
                </td>
                <td class="number">{scaled(receivedBytes, "B")}</td>
                <td class="number">{scaled(injectedBytes, "B")}</td>
                <td class="number">{count(packets)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
