/** How the traffic of the last minute splits up by protocol. */

import { protocolClass } from "../../models/packet-text";
import { count, scaled } from "../../models/units";
import { useDashboard } from "../context";
import { type Column, TableHead } from "../ui/TableHead";

const WINDOW = 60;
const COLUMNS: readonly Column[] = [
  ["Protocol"],
  ["Share of bytes"],
  ["Packets", "number"],
  ["Bytes", "number"],
];

export function ProtocolSplit() {
  const { traffic } = useDashboard();
  traffic.version.value;
  const split = traffic.split(WINDOW);
  const total = split.reduce((sum, one) => sum + one.bytes, 0);
  return (
    <section class="panel" aria-labelledby="split-title">
      <header class="panel-head">
        <h2 id="split-title">Protocols</h2>
        <span class="soft">Last minute, captured packets</span>
      </header>
      {split.length === 0 ? (
        <p class="nothing">No packet came in the last minute.</p>
      ) : (
        <table class="grid">
          <TableHead columns={COLUMNS} />
          <tbody>
            {split.map(({ kind, packets, bytes }) => (
              <tr key={kind}>
                <th scope="row">{kind}</th>
                <td>
                  <div class="share">
                    <div
                      class={`bar-of ${protocolClass(kind)}`}
                      style={{ width: `${(100 * bytes) / total}%` }}
                    />
                    <span>{((100 * bytes) / total).toFixed(1)} %</span>
                  </div>
                </td>
                <td class="number">{count(packets)}</td>
                <td class="number">{scaled(bytes, "B")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
