/** How the table looks and how much it keeps: columns, times, limits. */

import type { RefObject } from "preact";
import { fieldOf } from "../../filter/fields";
import { TIME_FORMATS, type TimeFormat } from "../../models/packet-text";
import { columnRule } from "../../models/table-layout";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { Choice } from "../ui/Choice";
import { Icon } from "../ui/Icon";
import { AddForm } from "./AddForm";
import { useClosing } from "./closing";
import { useTools } from "./tools";

const PACKETS = [10_000, 50_000, 200_000, 500_000];
const MEGABYTES = [16, 64, 256, 512];
const SNAPLENS = [0, 64, 128, 256, 1024];
const MEGABYTE = 1024 * 1024;
const TIMES: Readonly<Record<TimeFormat, string>> = {
  clock: "Time of day",
  date: "Date and time",
  start: "Since first shown",
  previous: "Since previous shown",
  epoch: "Seconds since 1970",
};

export function TableSettings({ panel }: { panel: RefObject<HTMLDetailsElement | null> }) {
  useClosing(panel);
  return (
    <details class="popup" ref={panel}>
      <summary class="button" title="Columns, times and limits of the table">
        <Icon name="sliders" />
        <span>Table</span>
      </summary>
      <div class="panel">
        <Columns />
        <Times />
        <Limits />
      </div>
    </details>
  );
}

function Columns() {
  const { layout } = useTools();
  const columns = layout.columns.value;
  const add = (typed: string): string => {
    const field = typed.trim();
    return columnRule(field) || layout.add(fieldOf(field)?.name ?? field, field);
  };
  return (
    <section aria-label="Columns">
      <h2>Columns</h2>
      <ul class="lines columns">
        {columns.map(({ id, label, shown, isField }, index) => (
          <li key={id}>
            <label class="check">
              <input type="checkbox" checked={shown} onChange={() => layout.toggle(id)} />
              <span>{label}</span>
            </label>
            <Button
              icon="up"
              label={`Move ${label} to the left`}
              kind="quiet"
              disabled={index === 0}
              onClick={() => layout.move(id, -1)}
            />
            <Button
              icon="down"
              label={`Move ${label} to the right`}
              kind="quiet"
              disabled={index === columns.length - 1}
              onClick={() => layout.move(id, 1)}
            />
            {isField && (
              <Button
                icon="trash"
                label={`Remove the column ${label}`}
                kind="quiet"
                onClick={() => layout.remove(id)}
              />
            )}
          </li>
        ))}
      </ul>
      <AddForm
        label="Add a field as a column"
        action="Add column"
        hint="For example tcp.stream. Or use the menu of a field in the details."
        mono
        add={add}
      />
      <Button kind="quiet" onClick={() => layout.reset()}>
        Restore the default columns
      </Button>
    </section>
  );
}

function Times() {
  const { layout } = useTools();
  const format = layout.time.value;
  return (
    <section aria-label="Time">
      <h2>Time</h2>
      <label class="setting">
        <span>Show</span>
        <select
          value={format}
          onChange={(event) => layout.show(event.currentTarget.value as TimeFormat)}
        >
          {TIME_FORMATS.map((one) => (
            <option key={one} value={one}>
              {TIMES[one]}
            </option>
          ))}
        </select>
      </label>
      <Choice
        label="Time zone"
        value={layout.utc.value ? "utc" : "local"}
        options={[
          { id: "local", label: "Local time" },
          { id: "utc", label: "UTC" },
        ]}
        onChange={(zone) => layout.show(format, zone === "utc")}
      />
    </section>
  );
}

function Limits() {
  const { capture } = useDashboard();
  const { packets, bytes } = capture.bounds.value;
  return (
    <section aria-label="Limits">
      <h2>Limits</h2>
      <Select
        label="Max packets"
        value={packets}
        options={PACKETS}
        text={(value) => `${value.toLocaleString("en")} packets`}
        onChange={(value) => capture.bound({ packets: value, bytes })}
      />
      <Select
        label="Max memory"
        value={bytes / MEGABYTE}
        options={MEGABYTES}
        text={(value) => `${value} MiB`}
        onChange={(value) => capture.bound({ packets, bytes: value * MEGABYTE })}
      />
      <Select
        label="Snap length"
        value={capture.snaplen.value}
        options={SNAPLENS}
        text={(value) => (value === 0 ? "all bytes" : `the first ${value} bytes`)}
        onChange={(value) => capture.cut(value)}
      />
      <p class="soft">With lower limits, the oldest packets that do not fit are dropped at once.</p>
    </section>
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: number;
  readonly options: readonly number[];
  readonly text: (value: number) => string;
  readonly onChange: (value: number) => void;
}

function Select({ label, value, options, text, onChange }: SelectProps) {
  return (
    <label class="setting">
      <span>{label}</span>
      <select
        value={String(value)}
        onChange={(event) => onChange(Number(event.currentTarget.value))}
      >
        {options.map((option) => (
          <option key={option} value={String(option)}>
            {text(option)}
          </option>
        ))}
      </select>
    </label>
  );
}
