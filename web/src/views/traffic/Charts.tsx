/** The charts: throughput, packets and losses on one time axis. */

import type { Signal } from "@preact/signals";
import { LOSS_CAUSES, type SeriesName } from "../../models/history";
import { KINDS, kindColor } from "../../models/kind-counts";
import { isNeutral } from "../../models/losses";
import { useDashboard } from "../context";
import { WAYS } from "../ui/Direction";
import { Chart, type Layer } from "./Chart";
import { kindLabel } from "./ProtocolSplit";
import { whenText } from "./period";

interface Props {
  readonly range: number;
  /** Null for all. */
  readonly adapter: string | null;
  readonly isByProtocol: boolean;
  /** The time under the pointer, which all charts show. */
  readonly hovered: Signal<number | null>;
}

const CAUSES: Readonly<Record<(typeof LOSS_CAUSES)[number], readonly [string, string]>> = {
  ring: ["Receive ring full", "bad"],
  truncated: ["Too large", "quic"],
  queue: ["Clients' queues full", "warn"],
  ended: ["Connections ended", "udp"],
  unclaimed: ["No client connected", "other"],
  ring_full: ["Send ring full", "tls"],
  failed: ["Failed driver calls", "icmp"],
  refused: ["Refused by the host", "http"],
  rejected: ["Not IP packets", "dns"],
};

export function Charts({ range, adapter, isByProtocol, hovered }: Props) {
  const { sessions, traffic } = useDashboard();
  traffic.version.value;
  const bins = traffic.bins(range);
  const rates = (name: SeriesName) => traffic.rates(name, bins, adapter);
  const isImpaired = sessions.impaired.value.some(
    (one) => adapter === null || one.adapter === adapter,
  );
  const when = whenText(range);
  const shared = { bins, range, hovered, marks: traffic.marksOf(range, adapter) };
  const packets = isByProtocol ? kinds("packets") : directions("Packets", 1);
  const bytes = isByProtocol ? kinds("bytes") : directions("Bytes", 8);
  const causes = LOSS_CAUSES.map((cause) => layer(cause, ...CAUSES[cause], rates(cause), 1));
  const gone = causes.filter(isSomething);
  const lost = gone.filter(({ key }) => !isNeutral(key));
  const discarded = gone.filter(({ key }) => isNeutral(key));
  const isKnown = packets.some(({ values }) => values.some((one) => one !== null));
  if (!isKnown) return <p class="remark">The first figures appear in a few seconds.</p>;
  return (
    <>
      {packets.some(isSomething) ? (
        <>
          <Chart title="Throughput" unit="b/s" layers={bytes} {...shared} />
          <Chart title="Packets" unit="/s" layers={packets} {...shared} />
        </>
      ) : (
        <p class="remark">No packets {when}.</p>
      )}
      {lost.length > 0 ? (
        <Chart title="Lost packets by cause" unit="/s" layers={lost} {...shared} />
      ) : (
        <p class="remark">
          No losses {when}.
          {isImpaired && " Packets that an impairment drops on purpose are not counted here."}
        </p>
      )}
      {discarded.length > 0 && (
        <Chart title="Discarded packets by cause" unit="/s" layers={discarded} {...shared} />
      )}
    </>
  );

  function directions(what: "Packets" | "Bytes", factor: number): Layer[] {
    return (["received", "injected"] as const).map((way) => {
      const label = `${WAYS[way].label} ${WAYS[way].arrow}`;
      return layer(way, label, way, rates(`${way}${what}`), factor);
    });
  }

  function kinds(what: "packets" | "bytes"): Layer[] {
    const all = traffic.kindRates(what, bins);
    const known = rates("receivedPackets");
    const layers = KINDS.map((kind) => {
      // Where the service was not asked, no packets came either.
      const values = all[kind].map((one, index) => (known[index] === null ? null : one));
      const factor = what === "bytes" ? 8 : 1;
      return layer(kind, kindLabel(kind), kindColor(kind), values, factor);
    });
    const some = layers.filter(isSomething);
    return some.length > 0 ? some : layers.slice(-1);
  }
}

function layer(
  key: string,
  label: string,
  color: string,
  values: readonly (number | null)[],
  factor: number,
): Layer {
  return { key, label, color, values: values.map((one) => one && one * factor) };
}

function isSomething({ values }: Layer): boolean {
  return values.some((one) => one !== null && one > 0);
}
