/** How the traffic of the chosen time splits up by protocol; each is one filter away. */

import { type Kind, kindColor } from "../../models/kind-counts";
import { count, scaled } from "../../models/units";
import { goTo } from "../address";
import { useDashboard } from "../context";
import { type Column, TableHead } from "../ui/TableHead";
import { whenText } from "./period";

const COLUMNS: readonly Column[] = [
  ["Protocol"],
  ["Share of bytes"],
  ["Packets", "number"],
  ["Bytes", "number"],
];
/** The filters that show the packets that were counted. */
const FILTERS: Readonly<Record<Kind, string>> = {
  TLS: "tls",
  HTTP: "http",
  TCP: "tcp and not tls and not http and not dns and not icmp and not icmpv6",
  QUIC: "quic",
  DNS: "dns",
  UDP: "udp and not dns and not quic and not icmp and not icmpv6",
  ICMP: "icmp",
  ICMPv6: "icmpv6",
  Other: "not tcp and not udp and not icmp and not icmpv6",
};

export function ProtocolSplit({ range }: { range: number }) {
  const { traffic } = useDashboard();
  traffic.version.value;
  const split = traffic.split(range);
  const total = split.reduce((sum, one) => sum + one.bytes, 0);
  const when = whenText(range);
  if (split.length === 0) return <p class="remark">No packets reached this page {when}.</p>;
  return (
    <section class="panel" aria-labelledby="split-title">
      <header class="panel-head">
        <h2 id="split-title">Protocols</h2>
        <span class="soft">packets that reached this page {when.replace(/,.*/, "")}</span>
      </header>
      <table class="grid">
        <TableHead columns={COLUMNS} />
        <tbody>
          {split.map(({ kind, packets, bytes }) => (
            <tr key={kind}>
              <th scope="row">
                <button
                  type="button"
                  class="text-button"
                  title={`Show these packets: ${FILTERS[kind]}`}
                  onClick={() => goTo("packets", { filter: FILTERS[kind], packet: null })}
                >
                  {kindLabel(kind)}
                </button>
              </th>
              <td>
                <div class="share">
                  <div
                    class={`bar-of ${kindColor(kind)}`}
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
    </section>
  );
}

/** A protocol that is counted without those that are counted by themselves. */
export function kindLabel(kind: Kind): string {
  return kind === "TCP" || kind === "UDP" ? `Other ${kind}` : kind;
}
