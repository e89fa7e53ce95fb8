/** One line of numbers below the table, which change with it. */

import type { Bounds } from "../../models/packet-ring";
import { heldText } from "../../models/packet-text";
import { binary, count } from "../../models/units";
import { useTools } from "./tools";

export function StatusLine() {
  const { table, picked, marked } = useTools();
  void [table.version.value, picked.version.value, marked.version.value];
  const { rows, capture } = table;
  void capture.generation.value;
  const { ring, arrived, missing, engine } = capture;
  const { notKept, evicted } = ring;
  const { pending } = engine;
  const [selected, starred] = [picked.count, marked.count];
  return (
    <footer class="status-line">
      <span>
        {pending > 0 && "at least "}
        <b>{count(rows.packets)}</b> of {count(rows.candidates)} packets shown
      </span>
      {rows.held > 0 && <span>{heldText(rows.held)}</span>}
      <span class="bytes-kept">{binary(ring.bytes)} kept</span>
      {capture.file.value === null && <span>{count(arrived)} arrived</span>}
      {selected > 1 && <span>{count(selected)} selected</span>}
      {starred > 0 && <span>★ {count(starred)} marked</span>}
      {missing > 0 && <span class="missing">{count(missing)} missing</span>}
      {notKept > 0 && <span class="missing">{count(notKept)} not kept while paused</span>}
      {evicted > 0 && (
        <span title="The limits are under Table.">
          {count(evicted)} older {evicted === 1 ? "packet was" : "packets were"} dropped (
          {LIMITS[ring.evictedBy](ring.bounds)})
        </span>
      )}
      {pending > 0 && <span>filtering, {count(pending)} to go</span>}
    </footer>
  );
}

/** The settings that packets are dropped for, as the panel of the table calls them. */
const LIMITS: Readonly<Record<keyof Bounds, (bounds: Bounds) => string>> = {
  packets: ({ packets }) => `Max packets: ${count(packets)}`,
  bytes: ({ bytes }) => `Max memory: ${binary(bytes)}`,
};
