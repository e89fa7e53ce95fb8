/** One line of numbers below the table, written a few times a second. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PacketTableModel } from "../../models/packet-table";
import { binary, count } from "../../models/units";
import { useDashboard } from "../context";

const PERIOD = 250;

export function StatusLine() {
  const { table } = useDashboard();
  const numbers = useSignal(numbersOf(table));
  useEffect(() => {
    const timer = setInterval(() => {
      const now = numbersOf(table);
      if (now.join() !== numbers.peek().join()) numbers.value = now;
    }, PERIOD);
    return () => clearInterval(timer);
  }, [table, numbers]);
  const [shown = 0, kept = 0, bytes = 0, arrived = 0, missing = 0, notKept = 0, pending = 0] =
    numbers.value;
  return (
    <footer class="status-line">
      <span>
        <b>{count(shown)}</b> of {count(kept)} packets shown
      </span>
      <span>{binary(bytes)} kept</span>
      <span>{count(arrived)} arrived</span>
      {missing > 0 && <span class="missing">{count(missing)} missing</span>}
      {notKept > 0 && <span class="missing">{count(notKept)} not kept while paused</span>}
      {pending > 0 && <span>filtering, {count(pending)} to go</span>}
    </footer>
  );
}

function numbersOf({ rows, capture }: PacketTableModel): number[] {
  const { ring, arrived, missing } = capture;
  const { pending } = capture.engine;
  return [rows.count, ring.count, ring.bytes, arrived, missing, ring.notKept, pending];
}
