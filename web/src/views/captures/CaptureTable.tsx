/** The captures: one row each, all of it live. */

import type { Capture } from "../../api/types";
import { adaptersText, reasonText, STATES } from "../../models/capture-text";
import { binary, count, momentText } from "../../models/units";
import { useDashboard } from "../context";
import { moveBetweenRows } from "../ui/rows";
import { type Column, TableHead } from "../ui/TableHead";

const COLUMNS: readonly Column[] = [
  ["Name, state"],
  ["Adapters, filter", "elastic at-least-m"],
  ["Packets", "number"],
  ["Lost", "number at-least-s"],
  ["Size", "number"],
  ["Files", "number at-least-s"],
  ["Started, ended", "at-least-l"],
];

export function CaptureTable({ list }: { list: readonly Capture[] }) {
  return (
    <div class="scroll">
      <table class="grid">
        <TableHead columns={COLUMNS} />
        <tbody onKeyDown={moveBetweenRows}>
          {list.map((capture) => (
            <Row key={capture.id} capture={capture} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ capture }: { capture: Capture }) {
  const { adapters, captures } = useDashboard();
  const { id, name, state, filter, packets, lost, bytes, files } = capture;
  const selected = captures.selected.value?.id === id;
  const select = () => captures.select(id);
  const whose = adaptersText(capture, (guid) => adapters.find(guid)?.name ?? guid);
  // The row takes clicks; its button is there for the keyboard.
  return (
    <tr class={selected ? "selected" : undefined} onClick={select}>
      <th scope="row">
        <button type="button" class="row-button" aria-pressed={selected} onClick={select}>
          <i class="dot" data-state={state} />
          <bdi class="cut" title={name}>
            {name}
          </bdi>
          <span class="unseen">, {STATES[state]}</span>
        </button>
        <span class="soft cut" title={stateText(capture)}>
          {stateText(capture)}
        </span>
      </th>
      <td class="elastic at-least-m">
        <bdi class="cut" title={whose}>
          {whose}
        </bdi>
        <span class="cut soft mono" title={filter}>
          {filter || "no filter"}
        </span>
      </td>
      <td class="number">{count(packets)}</td>
      <td class={lost > 0 ? "number at-least-s lost" : "number at-least-s"}>{count(lost)}</td>
      <td class="number">{binary(bytes)}</td>
      <td class="number at-least-s">{count(files.length)}</td>
      <td class="at-least-l">
        {momentText(capture.created_at)}
        <span class="soft cut">{capture.ended_at && momentText(capture.ended_at)}</span>
      </td>
    </tr>
  );
}

function stateText(capture: Capture): string {
  const reason = reasonText(capture);
  if (capture.state === "waiting") return "waiting for its trigger";
  return reason === "" ? STATES[capture.state] : `${STATES[capture.state]}: ${reason}`;
}
