/** What can be done to the table; what there is no room for is in one menu. */

import { useRef, useState } from "preact/hooks";
import type { Session } from "../../api/types";
import { isRunning } from "../../models/sessions";
import { useDashboard } from "../context";
import { RecorderDialog } from "../recorder/RecorderDialog";
import { SaveLast, useSavingLast } from "../recorder/SaveLast";
import { SessionPicker } from "../SessionPicker";
import { Button } from "../ui/Button";
import { Icon, type IconName } from "../ui/Icon";
import { Menu, type MenuItem, useMenu } from "../ui/Menu";
import { useMedia } from "../ui/media";
import { nameOf, save } from "../ui/save";
import { openPanel } from "./closing";
import { FileStrip } from "./FileStrip";
import { FilterBar } from "./FilterBar";
import { Legend } from "./Legend";
import { FileInput } from "./OpenFile";
import { StreamStatus } from "./StreamStatus";
import { TableSettings } from "./TableSettings";
import { useTools } from "./tools";
import { WiresharkDialog } from "./WiresharkDialog";

/** Below this width not all buttons stand in one line. */
const NARROW = "(max-width: 1099px)";

interface Props {
  readonly isCompact: boolean;
  /** Leave the filter for the table. */
  readonly onDown: () => void;
}

export function Toolbar({ isCompact, onDown }: Props) {
  const dashboard = useDashboard();
  const { adapters, capture, chosen, service, sessions, table } = dashboard;
  const isWaiting = dashboard.connection.isAway.value || dashboard.notices.busy.value !== "";
  const { find } = useTools();
  const isNarrow = useMedia(NARROW) || isCompact;
  const [dialog, setDialog] = useState<"wireshark" | "record" | null>(null);
  const [input, legend, settings] = [
    useRef<HTMLInputElement>(null),
    useRef<HTMLDetailsElement>(null),
    useRef<HTMLDetailsElement>(null),
  ];
  const { menu, open } = useMenu();
  const saveItems = useSaveItems();
  const saveLast = useSavingLast();
  const isFile = capture.file.value !== null;
  const paused = table.paused.value;
  const following = table.following.value && !paused;
  const session = isFile ? undefined : sessions.find(capture.session.value);
  const mayRecord = session && !session.recorder && service.isAdmin.value && isRunning(session);

  const clear: MenuItem = { label: "Clear", onChoose: () => table.clear() };
  const search: MenuItem = { label: "Find", hint: "Ctrl F", onChoose: () => find.open() };
  const file: MenuItem = { label: "Open file…", onChoose: () => input.current?.click() };
  const wireshark: MenuItem[] =
    isFile || chosen.name.value === ""
      ? []
      : [{ label: "Wireshark…", onChoose: () => setDialog("wireshark") }];
  const record: MenuItem[] = session?.recorder
    ? [
        {
          label: "Save the last minute",
          disabled: isWaiting,
          onChoose: () => saveLast(session),
        },
      ]
    : mayRecord
      ? [{ label: "Record…", onChoose: () => setDialog("record") }]
      : [];
  const rest = (): readonly MenuItem[] => {
    if (!isCompact) return [file, ...wireshark, ...record];
    return [
      search,
      ...(isFile ? [] : [clear]),
      ...apart(saveItems()),
      ...apart([file, ...wireshark, ...record]),
      ...apart([
        { label: "Legend", onChoose: () => openPanel(legend.current) },
        { label: "Columns, times, limits", onChoose: () => openPanel(settings.current) },
      ]),
    ];
  };
  const whose = isFile ? <FileStrip /> : <SessionPicker />;
  const filter = <FilterBar onDown={onDown} />;
  const buttons = (
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
        </>
      )}
      {!isCompact && (
        <>
          {!isFile && (
            <Button icon="clear" onClick={clear.onChoose}>
              Clear
            </Button>
          )}
          <Button icon="find" pressed={find.isOpen.value} onClick={search.onChoose}>
            Find
          </Button>
          <MenuButton
            icon="save"
            label="Save"
            onOpen={(at) => open("Save as pcapng", saveItems(), at)}
          />
        </>
      )}
      {isNarrow ? (
        <MenuButton icon="more" label="More" onOpen={(at) => open("More", rest(), at)} />
      ) : (
        <>
          <Button icon="open" onClick={file.onChoose}>
            Open file…
          </Button>
          {wireshark.map(({ label, onChoose }) => (
            <Button key={label} onClick={onChoose}>
              {label}
            </Button>
          ))}
          <Recording session={session} onRecord={mayRecord ? () => setDialog("record") : null} />
        </>
      )}
      <span class="grow" />
      <Legend panel={legend} />
      <TableSettings panel={settings} />
    </div>
  );
  return (
    <div class="packets-bar" role="toolbar" aria-label="Packets">
      {isCompact ? (
        <>
          <div class="line tools">
            {whose}
            {!isFile && <StreamStatus />}
            {buttons}
          </div>
          {filter}
        </>
      ) : (
        <>
          <div class="line">
            {whose}
            {!isFile && <StreamStatus />}
            {filter}
          </div>
          {buttons}
        </>
      )}
      <Menu menu={menu} />
      <FileInput input={input} />
      {dialog === "wireshark" && (
        <WiresharkDialog adapter={chosen.name.value} onClose={() => setDialog(null)} />
      )}
      {dialog === "record" && session && (
        <RecorderDialog
          session={session}
          name={adapters.find(session.adapter)?.name ?? session.id}
          onClose={() => setDialog(null)}
        />
      )}
    </div>
  );
}

/** Items with a line above them. */
function apart(items: readonly MenuItem[]): MenuItem[] {
  return items.map((item, index) => (index === 0 ? { ...item, apart: true } : item));
}

/** Return what saves packets as pcapng: those shown, selected or marked. */
function useSaveItems(): () => MenuItem[] {
  const { table } = useDashboard();
  const { picked, marked } = useTools();
  const run = async (rows?: readonly number[]) => save(await table.save(rows), nameOf("wintun"));
  return () => {
    const current = table.selected.peek()?.row;
    const selected = picked.count > 0 ? picked.list() : current === undefined ? [] : [current];
    return [
      {
        label: "Save shown packets",
        hint: () => {
          void table.version.value; // more come while the menu is open
          return countOf(table.rows.packets);
        },
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
}

function countOf(count: number): string {
  return count === 1 ? "1 packet" : `${count.toLocaleString("en")} packets`;
}

interface MenuButtonProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onOpen: (at: Element) => void;
}

/** A button that opens a menu below itself. */
export function MenuButton({ icon, label, onOpen }: MenuButtonProps) {
  return (
    <button
      type="button"
      class={`button ${icon === "more" ? "more-menu" : ""}`}
      aria-haspopup="menu"
      title={label}
      onClick={(event) => onOpen(event.currentTarget)}
    >
      <Icon name={icon} />
      <span>{label}</span>
      <span class="caret" aria-hidden="true">
        ▾
      </span>
    </button>
  );
}

interface RecordingProps {
  readonly session: Session | undefined;
  readonly onRecord: (() => void) | null;
}

/** Save what was recorded, or begin to record. */
function Recording({ session, onRecord }: RecordingProps) {
  if (session?.recorder) return <SaveLast session={session} />;
  if (onRecord === null) return null;
  return (
    <Button icon="record" label="Record the last minutes…" onClick={onRecord}>
      Record…
    </Button>
  );
}
