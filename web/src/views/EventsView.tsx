/** Events and the driver's log, live; the newest is at the lower end. */

import { Fragment } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { LEVELS, type LogEntry } from "../models/event-log";
import type { Level } from "../models/event-text";
import { clock, momentText } from "../models/units";
import { hrefOf } from "./address";
import { useDashboard } from "./context";
import { Button } from "./ui/Button";
import { Choice } from "./ui/Choice";
import { useCopying } from "./ui/copying";
import { Name } from "./ui/Name";

const FILTERS: Record<Level, string> = {
  info: "All levels",
  warning: "Warnings and errors",
  error: "Errors only",
};
const LEVEL_WORDS: Record<Level, string> = { info: "Info", warning: "Warning", error: "Error" };

const SOURCES = [
  { id: "all", label: "All" },
  { id: "service", label: "Events" },
  { id: "audit", label: "Audit" },
  { id: "driver", label: "Driver log" },
] as const;

export function EventsView() {
  const { log, notices } = useDashboard();
  void log.version.value;
  const shown = log.shown();
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const last = shown.at(-1)?.key;
  const folded = log.folded;
  const copy = useCopying(notices);
  useLayoutEffect(() => {
    if (atEnd.current) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [last]);
  const clearedAt = log.clearedAt.value;
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
          aria-label="Level"
          value={log.least.value}
          onChange={(event) => {
            log.least.value = event.currentTarget.value as Level;
          }}
        >
          {LEVELS.map((level) => (
            <option key={level} value={level}>
              {FILTERS[level]}
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
        {log.source.value === "all" && (
          <label class="check" title="Requests that were refused are always shown.">
            <input
              type="checkbox"
              checked={log.audit.value}
              onChange={(event) => {
                log.audit.value = event.currentTarget.checked;
              }}
            />
            <span>
              Requests that succeeded
              {folded > 0 && ` (${folded.toLocaleString("en")} hidden)`}
            </span>
          </label>
        )}
        <span class="grow" />
        <span class="count">
          {shown.length} of {log.count}
        </span>
        <Button
          icon="copy"
          disabled={shown.length === 0}
          onClick={() =>
            copy(
              log.copyText(),
              shown.length === 1 ? "Copied 1 line." : `Copied ${shown.length} lines.`,
            )
          }
        >
          Copy
        </Button>
        <Button icon="trash" disabled={log.count === 0} onClick={() => log.clear()}>
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
        {clearedAt > 0 && shown.length > 0 && (
          <p class="cleared">
            Events before {momentText(new Date(clearedAt).toISOString())} are hidden.{" "}
            <button type="button" class="text-button" onClick={() => log.restore()}>
              Show them
            </button>
          </p>
        )}
        {shown.length === 0 ? <Nothing /> : <Entries of={shown} />}
      </div>
    </section>
  );
}

function Entries({ of }: { of: readonly LogEntry[] }) {
  let day = "";
  return (
    <table class="entries">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Level</th>
          <th scope="col">Type</th>
          <th scope="col">Adapter</th>
          <th scope="col">What happened</th>
        </tr>
      </thead>
      <tbody>
        {of.map((entry) => {
          const before = day;
          day = entry.time.toDateString();
          return (
            <Fragment key={entry.key}>
              {day !== before && (
                <tr class="day">
                  <th scope="rowgroup" colSpan={5}>
                    {dateText(entry.time)}
                  </th>
                </tr>
              )}
              <Line entry={entry} />
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

function Line({ entry }: { entry: LogEntry }) {
  return (
    <tr class={`entry ${entry.level}`}>
      <td class="time">
        <time dateTime={entry.time.toISOString()} title={entry.time.toLocaleString()}>
          {clock(entry.time)}
        </time>
      </td>
      <td class="level">{LEVEL_WORDS[entry.level]}</td>
      <td class="type">{entry.type}</td>
      <td class="adapter">
        <AdapterLink name={entry.adapter} guid={entry.guid} />
      </td>
      <td class="text">{entry.text}</td>
    </tr>
  );
}

/** A link to an adapter while it is there, also under another name. */
function AdapterLink({ name, guid }: { name: string; guid: string }) {
  const { adapters } = useDashboard();
  if (name === "") return null;
  const adapter = adapters.find(guid) ?? adapters.list.value.find((one) => one.name === name);
  if (adapter === undefined) return <Name of={name} cut />;
  return (
    <a href={hrefOf("overview", { adapter: adapter.name })}>
      <Name of={name} cut />
      {adapter.name !== name && (
        <span class="soft">
          {" "}
          (now <Name of={adapter.name} />)
        </span>
      )}
    </a>
  );
}

/** Why the list is empty, and what to do about it. */
function Nothing() {
  const { log } = useDashboard();
  const clearedAt = log.clearedAt.value;
  const text = log.text.value.trim();
  if (log.count > 0) {
    const isDriver = log.source.value === "driver" && text === "" && log.least.value === "info";
    return (
      <div class="empty">
        <p>
          {isDriver ? (
            "The driver has not logged anything yet."
          ) : log.folded > 0 ? (
            "Only requests that succeeded match, and these are hidden."
          ) : text === "" ? (
            "No events match these filters."
          ) : (
            <>
              No events match “<Name of={text} />” and these filters.
            </>
          )}
        </p>
        <button type="button" class="text-button" onClick={() => log.showAll()}>
          Show all events
        </button>
      </div>
    );
  }
  if (clearedAt > 0) {
    return (
      <div class="empty">
        <p>
          Cleared at {momentText(new Date(clearedAt).toISOString())}. New events will appear here.
        </p>
        <button type="button" class="text-button" onClick={() => log.restore()}>
          Show earlier events
        </button>
      </div>
    );
  }
  return (
    <p class="empty">
      No events yet. Changes to adapters and sessions, lost packets and the driver's log will appear
      here.
    </p>
  );
}

function dateText(time: Date): string {
  return time.toLocaleDateString("en-GB", {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  });
}
