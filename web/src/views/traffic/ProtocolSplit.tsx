/** How the traffic of the last minute splits up by protocol. */

import { protocolClass } from "../../models/packet-text";
import { count, scaled } from "../../models/units";
import { useDashboard } from "../context";

const WINDOW = 60;

export function ProtocolSplit() {
  const { traffic } = useDashboard();
  traffic.version.value;
  const split = traffic.split(WINDOW);
  const total = split.reduce((sum, one) => sum + one.bytes, 0);
  return (
    <section class="panel" aria-labelledby="split-title">
      <header class="panel-head">
        <h2 id="split-title">Protocols</h2>
        <span class="soft">packets of the last minute that came here</span>
      </header>
      {split.length === 0 ? (
        <p class="nothing">No packet came in the last minute.</p>
      ) : (
        <table class="split">
          <thead>
            <tr>
              <th scope="col">Protocol</th>
              <th scope="col">Share of bytes</th>
              <th scope="col" class="figure">
                Packets
              </th>
              <th scope="col" class="figure">
                Bytes
              </th>
            </tr>
          </thead>
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
                <td class="figure">{count(packets)}</td>
                <td class="figure">{scaled(bytes, "B")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
