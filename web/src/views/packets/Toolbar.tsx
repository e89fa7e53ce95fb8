/** What can be done to the table: pause, scroll along, clear, find, save, open, and how it looks. */

import { useState } from "preact/hooks";
import { isRunning } from "../../models/sessions";
import { useDashboard } from "../context";
import { RecorderDialog } from "../recorder/RecorderDialog";
import { SaveLast } from "../recorder/SaveLast";
import { SessionPicker } from "../SessionPicker";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Menu, useMenu } from "../ui/Menu";
import { nameOf, save } from "../ui/save";
import { FileStrip } from "./FileStrip";
import { FilterBar } from "./FilterBar";
import { Legend } from "./Legend";
import { OpenFile } from "./OpenFile";
import { StreamStatus } from "./StreamStatus";
import { TableSettings } from "./TableSettings";
import { useTools } from "./tools";
import { WiresharkDialog } from "./WiresharkDialog";

export function Toolbar() {
  const { capture, table } = useDashboard();
  const { find } = useTools();
  const isFile = capture.file.value !== null;
  const paused = table.paused.value;
  const following = table.following.value && !paused;
  return (
    <div class="packets-bar" role="toolbar" aria-label="Packets">
      <div class="line">
        {isFile ? <FileStrip /> : <SessionPicker />}
        {!isFile && <StreamStatus />}
        <FilterBar />
      </div>
      <div class="buttons">
        {!isFile && (
          <>
            <Button
              icon={paused ? "play" : "pause"}
              pressed={paused}
              onClick={() => table.pause(!paused)}
            >
              {paused ? "Resume" : "Pause"}
            </Button>
            <Button
              icon="follow"
              pressed={following}
              title="Keep the newest packets in view"
              onClick={() => table.follow(!following)}
            >
              Newest
            </Button>
            <Button icon="clear" onClick={() => table.clear()}>
              Clear
            </Button>
          </>
        )}
        <Button icon="find" pressed={find.isOpen.value} onClick={() => find.open()}>
          Find
        </Button>
        <SaveMenu />
        <OpenFile />
        {!isFile && <Wireshark />}
        {!isFile && <Recording />}
        <span class="grow" />
        <Legend />
        <TableSettings />
      </div>
    </div>
  );
}

/** Save packets as pcapng: those shown, selected or marked. */
function SaveMenu() {
  const { table } = useDashboard();
  const { picked, marked } = useTools();
  const { menu, open } = useMenu();
  const run = async (rows?: readonly number[]) => save(await table.save(rows), nameOf("wintun"));
  const items = () => {
    const current = table.selected.peek()?.row;
    const selected = picked.count > 0 ? picked.list() : current === undefined ? [] : [current];
    return [
      {
        label: "Save shown packets",
        hint: countOf(table.rows.packets),
        onChoose: () => void run(),
      },
      {
        label: "Save selected packets",
        hint: countOf(selected.length),
        disabled: selected.length === 0,
        onChoose: () => void run(selected),
      },
      {
        label: "Save marked packets",
        hint: countOf(marked.count),
        disabled: marked.count === 0,
        onChoose: () => void run(marked.list()),
      },
    ];
  };
  return (
    <>
      <MenuButton icon="save" label="Save" onOpen={(at) => open("Save as pcapng", items(), at)} />
      <Menu menu={menu} />
    </>
  );
}

function countOf(count: number): string {
  return count === 1 ? "1 packet" : `${count.toLocaleString("en")} packets`;
}

interface MenuButtonProps {
  readonly icon: "save";
  readonly label: string;
  readonly onOpen: (at: Element) => void;
}

function MenuButton({ icon, label, onOpen }: MenuButtonProps) {
  return (
    <button
      type="button"
      class="button"
      aria-haspopup="menu"
      onClick={(event) => onOpen(event.currentTarget)}
    >
      <Icon name={icon} />
      <span>{label}</span>
      <span aria-hidden="true">▾</span>
    </button>
  );
}

function Wireshark() {
  const { chosen } = useDashboard();
  const [isOpen, setOpen] = useState(false);
  const name = chosen.name.value;
  if (name === "") return null;
  return (
    <>
      <Button onClick={() => setOpen(true)}>Wireshark…</Button>
      {isOpen && <WiresharkDialog adapter={name} onClose={() => setOpen(false)} />}
    </>
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
