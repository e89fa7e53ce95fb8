/** Events and the driver's log, live; the newest is at the lower end. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { LEVELS, type LogEntry } from "../models/event-log";
import type { Level } from "../models/event-text";
import { clock } from "../models/units";
import { useDashboard } from "./context";
import { Button } from "./ui/Button";
import { Choice } from "./ui/Choice";

const LEVEL_NAMES: Record<Level, string> = {
  info: "All levels",
  warning: "Warnings",
  error: "Errors",
};

const SOURCES = [
  { id: "all", label: "All" },
  { id: "service", label: "Events" },
  { id: "driver", label: "Driver log" },
] as const;

export function EventsView() {
  const { log, notices } = useDashboard();
  void log.version.value;
  const shown = log.shown();
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const last = shown.at(-1)?.key;
  useLayoutEffect(() => {
    if (atEnd.current) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [last]);
  const copy = () =>
    navigator.clipboard.writeText(log.copyText()).then(
      () => notices.say(`${shown.length} lines copied.`),
      () => notices.say("The browser did not allow copying."),
    );
  return (
    <section class="events" aria-labelledby="events-title">
      <header class="panel-head">
        <h1 id="events-title" class="unseen">
          Events
        </h1>
        <Choice
          label="Source"
          value={log.source.value}
          options={SOURCES}
          onChange={(source) => {
            log.source.value = source;
          }}
        />
        <select
          aria-label="Least level"
          value={log.least.value}
          onChange={(event) => {
            log.least.value = event.currentTarget.value as Level;
          }}
        >
          {LEVELS.map((level) => (
            <option key={level} value={level}>
              {LEVEL_NAMES[level]}
            </option>
          ))}
        </select>
        <input
          type="search"
          aria-label="Search events"
          placeholder="Search"
          value={log.text.value}
          onInput={(event) => {
            log.text.value = event.currentTarget.value;
          }}
        />
        <span class="grow" />
        <span class="count">
          {shown.length} of {log.count}
        </span>
        <Button icon="copy" disabled={shown.length === 0} onClick={copy}>
          Copy
        </Button>
        <Button icon="trash" onClick={() => log.clear()}>
          Clear
        </Button>
      </header>
      <div
        ref={list}
        class="log"
        role="log"
        aria-label="Events"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        tabIndex={0}
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          atEnd.current = scrollTop + clientHeight >= scrollHeight - 8;
        }}
      >
        {shown.length === 0 ? (
          <p class="empty">
            {log.count === 0 ? "Nothing has happened yet." : "Nothing passes these filters."}
          </p>
        ) : (
          shown.map((entry) => <Line key={entry.key} entry={entry} />)
        )}
      </div>
    </section>
  );
}

function Line({ entry }: { entry: LogEntry }) {
  return (
    <p class={`entry ${entry.level}`}>
      <time dateTime={entry.time.toISOString()}>{clock(entry.time)}</time>
      <span class="level">{entry.level}</span>
      <span class="type">{entry.type}</span>
      <span class="text">{entry.text}</span>
    </p>
  );
}
