/** Who talked most with whom in the last two minutes; a row is one filter away from its packets. */

import { count, scaled } from "../../models/units";
import { useDashboard } from "../context";

const SHOWN = 12;

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
        <p class="nothing">Nobody has talked yet.</p>
      ) : (
        <table class="talkers">
          <thead>
            <tr>
              <th scope="col">Between</th>
              <th scope="col">and</th>
              <th scope="col" class="figure">
                Received
              </th>
              <th scope="col" class="figure">
                Injected
              </th>
              <th scope="col" class="figure">
                Packets
              </th>
            </tr>
          </thead>
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
                      window.location.hash = "#/packets";
                    }}
                  >
                    {b}
                  </button>
                </td>
                <td class="figure">{scaled(receivedBytes, "B")}</td>
                <td class="figure">{scaled(injectedBytes, "B")}</td>
                <td class="figure">{count(packets)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
