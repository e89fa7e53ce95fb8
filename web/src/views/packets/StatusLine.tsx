/** One line of numbers below the table, written a few times a second. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PacketTools } from "../../models/packet-tools";
import { binary, count } from "../../models/units";
import { useTools } from "./tools";

const PERIOD = 250;

export function StatusLine() {
  const tools = useTools();
  const numbers = useSignal(numbersOf(tools));
  useEffect(() => {
    const timer = setInterval(() => {
      const now = numbersOf(tools);
      if (now.join() !== numbers.peek().join()) numbers.value = now;
    }, PERIOD);
    return () => clearInterval(timer);
  }, [tools, numbers]);
  const [shown = 0, kept = 0, bytes = 0, arrived = 0, missing = 0, notKept = 0, ...rest] =
    numbers.value;
  const isFile = tools.table.capture.file.value !== null;
  const [pending = 0, selected = 0, marked = 0] = rest;
  return (
    <footer class="status-line">
      <span>
        {pending > 0 && "at least "}
        <b>{count(shown)}</b> of {count(kept)} packets shown
      </span>
      <span>{binary(bytes)} kept</span>
      {!isFile && <span>{count(arrived)} arrived</span>}
      {selected > 1 && <span>{count(selected)} selected</span>}
      {marked > 0 && <span>★ {count(marked)} marked</span>}
      {missing > 0 && <span class="missing">{count(missing)} missing</span>}
      {notKept > 0 && <span class="missing">{count(notKept)} not kept while paused</span>}
      {pending > 0 && <span>filtering, {count(pending)} to go</span>}
    </footer>
  );
}

function numbersOf({ table, picked, marked }: PacketTools): number[] {
  const { rows, capture } = table;
  const { ring, arrived, missing, engine } = capture;
  return [
    ...[rows.count, ring.count, ring.bytes, arrived, missing, ring.notKept],
    ...[engine.pending, picked.count, marked.count],
  ];
}
