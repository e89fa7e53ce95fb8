/** The display filter: typed with suggestions, applied while it is typed, errors with their place. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Completion, complete } from "../../filter/completion";
import { useDashboard } from "../context";

const PAUSE = 250; // milliseconds without a key before the filter is applied
const NOTHING: Completion = { start: 0, suggestions: [] };

export function FilterBar() {
  const { table } = useDashboard();
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
      const typing = (event.target as Element).matches("input, textarea, select");
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
    text.value = value;
    table.filter(value);
  };
  const suggest = (): void => {
    const caret = input.current?.selectionStart ?? text.value.length;
    completion.value = complete(text.value, caret, table.addresses());
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
    clearTimeout(timer.current);
    timer.current = setTimeout(() => apply(text.value), PAUSE);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { length } = completion.value.suggestions;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (length === 0) suggest();
      else chosen.value = (chosen.value + (event.key === "ArrowDown" ? 1 : length)) % length;
    } else if (event.key === "Tab" && length > 0 && !event.shiftKey) {
      event.preventDefault();
      accept(Math.max(0, chosen.value));
    } else if (event.key === "Enter") {
      if (chosen.value >= 0) accept(chosen.value);
      else {
        close();
        apply(text.value);
      }
    } else if (event.key === "Escape") {
      if (length > 0) close();
      else apply("");
    }
  };

  const error = table.filterError.value;
  const { suggestions } = completion.value;
  const open = suggestions.length > 0;
  return (
    <div class={`filter${error ? " wrong" : table.filterText.value ? " active" : ""}`}>
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
        aria-describedby="filter-error"
        placeholder="Filter, such as tcp and port 443"
        spellcheck={false}
        autocomplete="off"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          suggest();
          clearTimeout(timer.current);
          timer.current = setTimeout(() => apply(text.value), PAUSE);
        }}
        onFocus={suggest}
        onBlur={close}
        onKeyDown={onKeyDown}
      />
      {text.value === "" ? (
        <kbd title="The key / comes here">/</kbd>
      ) : (
        <button type="button" class="clear" aria-label="Clear the filter" onClick={() => apply("")}>
          ×
        </button>
      )}
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
      <p id="filter-error" class="filter-error" role="alert">
        {error !== null && (
          <>
            <code>
              {text.value.slice(0, error.start)}
              <mark>{text.value.slice(error.start, error.end) || " "}</mark>
              {text.value.slice(error.end)}
            </code>{" "}
            {error.message}
          </>
        )}
      </p>
    </div>
  );
}
