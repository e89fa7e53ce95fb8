/** The figures of the charts as a table that other programs read (RFC 4180). */

import { SERIES, type SeriesName } from "./history";
import { isNeutral } from "./losses";
import type { Bins, TrafficModel } from "./traffic";

const NAMES: Readonly<Partial<Record<SeriesName, string>>> = {
  receivedPackets: "from_host_packets_per_second",
  receivedBytes: "from_host_bytes_per_second",
  injectedPackets: "to_host_packets_per_second",
  injectedBytes: "to_host_bytes_per_second",
};

/**
 * Return a line for each point: when it began, how many seconds it is of, and the average of each
 * series; with `kinds`, also of each protocol. What is not known is left empty.
 */
export function trafficCsv(
  traffic: TrafficModel,
  bins: Bins,
  adapter: string | null,
  kinds: boolean,
): string {
  const columns: [string, readonly (number | null)[]][] = SERIES.map((name) => [
    NAMES[name] ?? `${isNeutral(name) ? "discarded" : "lost"}_${name}_per_second`,
    traffic.rates(name, bins, adapter),
  ]);
  if (kinds) {
    for (const what of ["packets", "bytes"] as const) {
      for (const [kind, values] of Object.entries(traffic.kindRates(what, bins))) {
        columns.push([`${kind.toLowerCase()}_${what}_per_second`, values]);
      }
    }
  }
  const lines = bins.ends.map((end, index) => {
    const begin = new Date((end - bins.width + 1) * 1000).toISOString();
    const values = columns.map(([, column]) => text(column[index] ?? null));
    return [begin, bins.width, ...values].join(",");
  });
  const head = ["time", "seconds", ...columns.map(([name]) => name)].join(",");
  return `${[head, ...lines].join("\r\n")}\r\n`;
}

function text(value: number | null): string {
  return value === null ? "" : String(Math.round(value * 1000) / 1000);
}
