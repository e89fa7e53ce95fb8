/** The display filter: typed with suggestions, applied while it is typed, errors with their place. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Completion, completionsAt } from "../../filter/completion";
import { useDashboard } from "../context";
import { FilterMenu } from "./FilterMenu";
import { FilterNote } from "./FilterNote";
import { useTools } from "./tools";

const PAUSE = 250; // milliseconds without a key before the filter is applied
const KEYS = "Alt+↓ shows suggestions, Escape hides them, ↓ goes to the table.";
const NOTHING: Completion = { start: 0, suggestions: [] };

/** `onDown` leaves the field for the table, where no suggestions are open. */
export function FilterBar({ onDown }: { onDown: () => void }) {
  const { table } = useDashboard();
  const { history } = useTools();
  const input = useRef<HTMLInputElement>(null);
  const text = useSignal(table.filterText.value);
  const completion = useSignal<Completion>(NOTHING);
  const chosen = useSignal(-1);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  // A filter may come from elsewhere, as from a field of a packet.
  useSignalEffect(() => {
    text.value = table.filterText.value;
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const typing = (event.target as Element).closest("input, textarea, select, dialog") !== null;
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);

  const apply = (value: string): void => {
    clearTimeout(timer.current);
    timer.current = undefined;
    text.value = value;
    table.filter(value);
  };
  /** Apply what was typed, and remember it. */
  const settle = (): void => {
    if (text.peek() !== table.filterText.peek()) apply(text.peek());
    if (table.filterError.peek() === null) history.remember(text.peek());
  };
  const applySoon = (): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => apply(text.value), PAUSE);
  };
  const suggest = (): void => {
    const caret = input.current?.selectionStart ?? text.value.length;
    completion.value = completionsAt(text.value, caret, table.addresses());
    chosen.value = -1;
  };
  const close = (): void => {
    completion.value = NOTHING;
    chosen.value = -1;
  };
  const accept = (index: number): void => {
    const suggestion = completion.value.suggestions[index];
    const caret = input.current?.selectionStart ?? text.value.length;
    if (suggestion === undefined) return;
    const before = text.value.slice(0, completion.value.start) + suggestion.text;
    const space = suggestion.text.endsWith("{") ? "" : " ";
    text.value = before + space + text.value.slice(caret).trimStart();
    close();
    requestAnimationFrame(() => {
      const at = before.length + space.length;
      input.current?.setSelectionRange(at, at);
      suggest();
    });
    applySoon();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { length } = completion.value.suggestions;
    const { key } = event;
    if (key === "ArrowDown" && length === 0 && !event.altKey) {
      event.preventDefault();
      settle();
      onDown();
    } else if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      const last = Math.max(0, chosen.value);
      if (length === 0) suggest();
      else if (key === "ArrowDown") chosen.value = (chosen.value + 1) % length;
      else chosen.value = (last + length - 1) % length;
    } else if (key === "Tab" && chosen.value >= 0 && !event.shiftKey) {
      // Only what was chosen is written; otherwise the key goes on to the next control.
      event.preventDefault();
      accept(chosen.value);
    } else if (key === "Enter") {
      if (chosen.value >= 0) accept(chosen.value);
      else {
        close();
        settle();
      }
    } else if (key === "Escape") {
      close();
    }
  };

  const error = table.filterError.value;
  const { suggestions } = completion.value;
  const open = suggestions.length > 0;
  return (
    <search class={`filter${error ? " wrong" : table.filterText.value ? " active" : ""}`}>
      <div class="filter-row">
        <div class="filter-input">
          <input
            ref={input}
            class="mono"
            type="text"
            role="combobox"
            aria-label="Display filter"
            aria-expanded={open}
            aria-controls="filter-suggestions"
            aria-autocomplete="list"
            aria-activedescendant={chosen.value < 0 ? undefined : `suggestion-${chosen.value}`}
            aria-invalid={error !== null}
            aria-describedby="filter-note filter-keys"
            title={KEYS}
            placeholder="Filter, for example: tcp.port == 443"
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
              suggest();
              applySoon();
            }}
            onBlur={() => {
              close();
              settle();
            }}
            onKeyDown={onKeyDown}
          />
          {text.value === "" ? (
            <kbd title="Press / to go to the filter">/</kbd>
          ) : (
            <button
              type="button"
              class="clear"
              aria-label="Clear the filter"
              title="Clear the filter"
              onClick={() => {
                apply("");
                input.current?.focus();
              }}
            >
              ×
            </button>
          )}
        </div>
        <FilterMenu />
      </div>
      <span id="filter-keys" class="unseen">
        {KEYS}
      </span>
      <FilterNote text={text.value} />
      {open && (
        <div id="filter-suggestions" class="suggestions" role="listbox" aria-label="Suggestions">
          {suggestions.map((one, index) => (
            <div
              key={one.text}
              id={`suggestion-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen.value}
              onMouseDown={(event) => {
                event.preventDefault(); // the focus stays in the field
                accept(index);
              }}
            >
              <span class="mono">{one.text}</span>
              <span>{one.about}</span>
            </div>
          ))}
        </div>
      )}
    </search>
  );
}
