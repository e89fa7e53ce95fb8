/** What can be done to the table: follow, pause, clear, save, and how much it keeps. */

import { useState } from "preact/hooks";
import { isRunning } from "../../models/sessions";
import { useDashboard } from "../context";
import { RecorderDialog } from "../recorder/RecorderDialog";
import { SaveLast } from "../recorder/SaveLast";
import { SessionPicker } from "../SessionPicker";
import { Button } from "../ui/Button";
import { Choice } from "../ui/Choice";
import { Icon } from "../ui/Icon";
import { nameOf, save } from "../ui/save";
import { FilterBar } from "./FilterBar";
import { StreamStatus } from "./StreamStatus";

export function Toolbar() {
  const { table } = useDashboard();
  const paused = table.paused.value;
  const following = table.following.value && !paused;
  return (
    <div class="packets-bar" role="toolbar" aria-label="Packets">
      <SessionPicker />
      <StreamStatus />
      <FilterBar />
      <div class="buttons">
        <Button
          icon={paused ? "play" : "pause"}
          label={paused ? "Resume (space)" : "Pause (space)"}
          pressed={paused}
          onClick={() => table.pause(!paused)}
        />
        <Button
          icon="follow"
          label="Follow the newest packets"
          pressed={following}
          onClick={() => table.follow(!following)}
        />
        <Button icon="clear" label="Clear the table" onClick={() => table.clear()} />
        <Button
          icon="save"
          label="Save what is shown as pcapng"
          onClick={async () => save(await table.save(), nameOf("wintun"))}
        />
        <Recording />
        <Settings />
      </div>
    </div>
  );
}

/** Save what was recorded, or begin to record. */
function Recording() {
  const { adapters, capture, service, sessions } = useDashboard();
  const [isOpen, setOpen] = useState(false);
  const session = sessions.find(capture.session.value);
  if (session === undefined) return null;
  if (session.recorder != null) return <SaveLast session={session} />;
  if (!service.isAdmin.value || !isRunning(session)) return null;
  const name = adapters.find(session.adapter)?.name ?? session.id;
  return (
    <>
      <Button icon="record" label="Record the last minutes…" onClick={() => setOpen(true)}>
        Record…
      </Button>
      {isOpen && <RecorderDialog session={session} name={name} onClose={() => setOpen(false)} />}
    </>
  );
}

const PACKETS = [10_000, 50_000, 200_000, 500_000];
const MEGABYTES = [16, 64, 256, 512];
const SNAPLENS = [0, 64, 128, 256, 1024];
const MEGABYTE = 1024 * 1024;

function Settings() {
  const { capture, table } = useDashboard();
  const { packets, bytes } = capture.bounds.value;
  return (
    <details class="settings">
      <summary class="button" aria-label="Settings of the table" title="Settings of the table">
        <Icon name="sliders" />
      </summary>
      <div class="panel">
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
        <Choice
          label="Time"
          value={table.timeFormat.value}
          options={[
            { id: "clock", label: "Time of day" },
            { id: "start", label: "Since the first" },
            { id: "previous", label: "Since previous" },
          ]}
          onChange={(format) => {
            table.timeFormat.value = format;
          }}
        />
        <p>Changing these limits clears the table.</p>
      </div>
    </details>
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
