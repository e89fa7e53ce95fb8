/** The conversations, of which only the rows in view are drawn, and the keys that move in them. */

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Conversation } from "../../analysis/conversation";
import { type Amounts, COLUMNS, type Column } from "../../models/conversation-list";
import * as text from "../../models/conversation-text";
import { protocolClass } from "../../models/packet-text";
import { clock, count } from "../../models/units";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { useMedia } from "../ui/media";
import { afterPress } from "../ui/press";

/** The height of a row in pixels, and on a narrow screen, where it has two lines. */
const [FLAT, TALL] = [26, 48];
const NARROW = "(max-width: 560px)";
/** Rows that are drawn above and below the view. */
const MARGIN = 8;

/** What stands there, what that is in words, and what it means. */
const HEADS: Readonly<Record<Column, readonly [title: string, label?: string, about?: string]>> = {
  protocol: ["Protocol"],
  source: ["Opened by"],
  destination: ["To"],
  state: ["State"],
  fromPackets: ["→ Packets", "Packets from host"],
  fromBytes: ["→ Bytes", "Bytes from host"],
  toPackets: ["← Packets", "Packets to host"],
  toBytes: ["← Bytes", "Bytes to host"],
  start: ["Started"],
  duration: ["Duration"],
  rate: ["Rate"],
  rtt: ["Round trip", "Round trip", "The time between a packet and its answer"],
  resent: ["Resent", "Resent", "Segments that were sent again"],
};

const CELLS: Readonly<Record<Column, (one: Conversation, amounts: Amounts) => ComponentChildren>> =
  {
    protocol: text.protocolOf,
    source: (one) => <bdi>{text.endText(one.source, one.sourcePort)}</bdi>,
    destination: (one) => <bdi>{text.endText(one.destination, one.destinationPort)}</bdi>,
    state: (one) => text.STATES[one.state],
    fromPackets: (_, amounts) => count(amounts[0]),
    fromBytes: (_, amounts) => text.bytesText(amounts[2]),
    toPackets: (_, amounts) => count(amounts[1]),
    toBytes: (_, amounts) => text.bytesText(amounts[3]),
    start: (one) => clock(new Date(Number(one.startNs / 1_000_000n))),
    duration: (one) => text.spanText(text.secondsOf(one)),
    rate: text.rateText,
    rtt: (one) => (one.rttNs === null ? "" : text.spanText(one.rttNs / 1e9)),
    resent: (one) => (one.retransmissions === 0 ? "" : count(one.retransmissions)),
  };

interface Props {
  readonly onShow: (one: Conversation) => void;
  readonly onFollow: (one: Conversation) => void;
}

export function ConversationTable({ onShow, onFollow }: Props) {
  const { conversations } = useDashboard();
  /** The rows as they were when a button was pressed, until its click. */
  const [held, setHeld] = useState<readonly Conversation[] | null>(null);
  const current = conversations.rows.value;
  const rows = held ?? current;
  /** Of the first click; a second one may find another in its place. */
  const clicked = useRef(0);
  const selected = conversations.selected.value;
  const scroller = useRef<HTMLDivElement>(null);
  const row = useMedia(NARROW) ? TALL : FLAT;
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const at = rows.findIndex(({ id }) => id === selected);
  const reveal = () => {
    const element = scroller.current;
    const index = conversations.rows
      .peek()
      .findIndex(({ id }) => id === conversations.selected.peek());
    if (element === null || index < 0) return;
    const room = element.clientHeight - row; // below the head
    if (index * row < element.scrollTop) element.scrollTop = index * row;
    else if ((index + 1) * row > element.scrollTop + room) {
      element.scrollTop = (index + 1) * row - room;
    }
  };
  // The row that was there before the view was left.
  useLayoutEffect(reveal, []);

  const move = (step: number) => {
    conversations.move(step);
    reveal();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget)
      return;
    const page = Math.max(1, Math.floor(height / row) - 2);
    const current = conversations.current;
    const keys: Record<string, () => void> = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      PageDown: () => move(page),
      PageUp: () => move(-page),
      Home: () => move(-rows.length),
      End: () => move(rows.length),
      Enter: () => current && onShow(current),
      f: () => current && onFollow(current),
      Escape: () => {
        conversations.selected.value = 0;
      },
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };

  const first = Math.max(0, Math.floor(top / row) - MARGIN);
  const last = Math.min(rows.length, Math.ceil((top + height) / row) + MARGIN);
  const drawn = rows.slice(first, last);
  const active = at >= first && at < last ? `conversation-${selected}` : undefined;
  return (
    <div class="conversation-area">
      {/* biome-ignore lint/a11y/useSemanticElements: only the rows in view are drawn */}
      <div
        class="conversation-table"
        role="grid"
        aria-label="Conversations"
        aria-rowcount={rows.length + 1}
        aria-colcount={COLUMNS.length}
        aria-activedescendant={active}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <div
          class="scroller"
          role="presentation"
          ref={scroller}
          onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        >
          <Head />
          <div
            class="rows"
            role="presentation"
            style={{ height: `${rows.length * row}px` }}
            onPointerDown={() => {
              setHeld(rows);
              afterPress(() => setHeld(null));
            }}
          >
            {drawn.map((one, index) => (
              // biome-ignore lint/a11y/useSemanticElements: as above
              // biome-ignore lint/a11y/useFocusableInteractive: the table has the focus
              // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the table's
              <div
                key={one.id}
                id={`conversation-${one.id}`}
                class={`row p-${protocolClass(text.protocolOf(one))}`}
                role="row"
                aria-rowindex={first + index + 2}
                aria-selected={one.id === selected}
                style={{ top: `${(first + index) * row}px` }}
                onClick={({ detail }) => {
                  if (detail < 2) clicked.current = one.id;
                  conversations.selected.value = clicked.current;
                }}
                onDblClick={() => onShow(conversations.current ?? one)}
              >
                <Cells one={one} />
              </div>
            ))}
          </div>
        </div>
      </div>
      {rows.length === 0 && <Nothing />}
    </div>
  );
}

function Cells({ one }: { one: Conversation }) {
  const amounts = useDashboard().conversations.amounts(one);
  return (
    <>
      {COLUMNS.map((column) => (
        // biome-ignore lint/a11y/useSemanticElements: only the rows in view are drawn
        // biome-ignore lint/a11y/useFocusableInteractive: the table has the focus
        <div
          key={column}
          class={`cell ${column}`}
          role="gridcell"
          data-state={column === "state" ? one.state : undefined}
        >
          {CELLS[column](one, amounts)}
        </div>
      ))}
    </>
  );
}

function Head() {
  const { conversations } = useDashboard();
  const { column: sorted, isDown } = conversations.sorting.value;
  return (
    // biome-ignore lint/a11y/useSemanticElements: only the rows in view are drawn
    // biome-ignore lint/a11y/useFocusableInteractive: the table has the focus
    <div class="row head" role="row" aria-rowindex={1}>
      {COLUMNS.map((column) => {
        const [title, host = title, about] = HEADS[column];
        // In a file without directions the arrows are those from the opener and back.
        const label = conversations.isDirected.value ? host : host.replace(/ host$/, " the opener");
        const isSorted = column === sorted;
        return (
          // biome-ignore lint/a11y/useSemanticElements: as above
          // biome-ignore lint/a11y/useFocusableInteractive: its button has the focus
          <div
            key={column}
            class={`cell ${column}`}
            role="columnheader"
            aria-sort={isSorted ? (isDown ? "descending" : "ascending") : undefined}
          >
            <button type="button" title={about ?? label} onClick={() => conversations.sort(column)}>
              {title}
              {label !== title && <span class="unseen">{label.replace(/^\w+/, "")}</span>}
              {isSorted && <span aria-hidden="true">{isDown ? " ▾" : " ▴"}</span>}
            </button>
          </div>
        );
      })}
    </div>
  );
}

/** Why there is no row, and what to do. */
function Nothing() {
  const { capture, conversations } = useDashboard();
  const engine = capture.engine.state.value;
  if (conversations.all.value.length > 0) {
    return (
      <div class="empty">
        <p>No conversation matches all of these words.</p>
        <Button
          onClick={() => {
            conversations.search.value = "";
          }}
        >
          Clear the search
        </Button>
      </div>
    );
  }
  if (engine.name === "failed") {
    return (
      <p class="empty" role="alert">
        The packets cannot be analysed in this browser. Reload the page to try again.
      </p>
    );
  }
  return (
    <p class="empty">
      No conversations yet. They appear here when packets pass through the adapter.
    </p>
  );
}
