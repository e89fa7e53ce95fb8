/** The filters that were used last, and those with a name. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { AddForm } from "./AddForm";
import { useClosing } from "./closing";
import { useTools } from "./tools";

export function FilterMenu() {
  const { table } = useDashboard();
  const { history } = useTools();
  const isOpen = useSignal(false);
  const panel = useRef<HTMLDetailsElement>(null);
  useClosing(panel);
  const use = (text: string): void => {
    table.filter(text);
    history.remember(text);
    if (panel.current) panel.current.open = false;
    panel.current?.querySelector("summary")?.focus();
  };
  const text = table.filterText.value;
  return (
    <details
      class="popup"
      ref={panel}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary class="button" title="Recent and saved filters">
        <Icon name="history" />
        <span>Filters</span>
      </summary>
      {isOpen.value && (
        <div class="panel filters">
          <section aria-label="Saved filters">
            <h2>Saved filters</h2>
            {history.saved.value.length === 0 && <p class="soft">None yet.</p>}
            <ul class="lines">
              {history.saved.value.map((one) => (
                <li key={one.name}>
                  <button type="button" class="pick" onClick={() => use(one.text)}>
                    <bdi>{one.name}</bdi> <span class="mono soft">{one.text}</span>
                  </button>
                  <Button
                    icon="trash"
                    label={`Delete the saved filter ${one.name}`}
                    kind="quiet"
                    onClick={() => history.remove(one.name)}
                  />
                </li>
              ))}
            </ul>
            <AddForm
              label="Save the filter as"
              action="Save filter"
              hint={text === "" ? "Type a filter first." : text}
              disabled={text === ""}
              wrong={table.filterError.value !== null}
              add={(name) => history.save(name, text)}
            />
          </section>
          <section aria-label="Recent filters">
            <h2>Recent filters</h2>
            {history.recent.value.length === 0 && <p class="soft">None yet.</p>}
            <ul class="lines">
              {history.recent.value.map((one) => (
                <li key={one}>
                  <button type="button" class="pick mono" onClick={() => use(one)}>
                    {one}
                  </button>
                </li>
              ))}
            </ul>
          </section>
          <p>
            <a href="/guide/display-filters" target="_blank" rel="noopener">
              How to write display filters
            </a>
          </p>
        </div>
      )}
    </details>
  );
}
