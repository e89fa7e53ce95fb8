/** What an impairment did to the packets of both directions, by cause. */

import type { SessionImpairment } from "../../api/types";
import { COUNTERS, LOSSES } from "../../models/impairment";
import { DIRECTIONS } from "../../models/impairment-form";
import { count, scaled } from "../../models/units";
import { Direction } from "../ui/Direction";
import { type Column, TableHead } from "../ui/TableHead";

const COLUMNS: readonly Column[] = [
  [<span class="unseen">Counter</span>],
  [<Direction way="received" />, "number"],
  ["Bytes", "number at-least-s"],
  [<Direction way="injected" />, "number"],
  ["Bytes", "number at-least-s"],
];

export function CounterTable({ of, removed }: { of: SessionImpairment; removed: boolean }) {
  return (
    <table class="counters">
      <caption>
        {removed ? "Packets until it was removed" : "Packets since the session was impaired"}
      </caption>
      <TableHead columns={COLUMNS} />
      <tbody>
        {COUNTERS.map(([name, label]) => {
          const packets = DIRECTIONS.map((direction) => of[direction][name].packets);
          const isLoss = LOSSES.includes(name) && packets.some((one) => one > 0);
          return (
            <tr key={name} class={isLoss ? "lost" : undefined}>
              <th scope="row">{label}</th>
              {DIRECTIONS.map((direction) => (
                <Cells key={direction} of={of[direction][name]} />
              ))}
            </tr>
          );
        })}
        <tr>
          <th scope="row">ICMP replies</th>
          <td class="number">{count(of.received.too_big_replies)}</td>
          <td class="number at-least-s" />
          <td class="number">{count(of.injected.too_big_replies)}</td>
          <td class="number at-least-s" />
        </tr>
      </tbody>
    </table>
  );
}

function Cells({ of }: { of: { readonly packets: number; readonly bytes: number } }) {
  return (
    <>
      <td class="number">{count(of.packets)}</td>
      <td class="number at-least-s">{scaled(of.bytes, "B")}</td>
    </>
  );
}
