/** The filters that were used last, and those with a name. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { Field } from "../ui/Field";
import { Icon } from "../ui/Icon";
import { useClosing } from "./closing";
import { useTools } from "./tools";

export function FilterMenu() {
  const { table } = useDashboard();
  const { history } = useTools();
  const name = useSignal("");
  const error = useSignal("");
  const isOpen = useSignal(false);
  const panel = useRef<HTMLDetailsElement>(null);
  useClosing(panel);
  const use = (text: string): void => {
    table.filter(text);
    history.remember(text);
    if (panel.current) panel.current.open = false;
    panel.current?.querySelector("summary")?.focus();
  };
  const save = (): void => {
    error.value = history.save(name.value, table.filterText.value);
    if (error.value === "") name.value = "";
  };
  const text = table.filterText.value;
  return (
    <details
      class="popup"
      ref={panel}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
        error.value = "";
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
            <form
              class="save-filter"
              noValidate
              onSubmit={(event) => {
                event.preventDefault();
                save();
              }}
            >
              <Field
                label="Save the filter as"
                value={name.value}
                hint={text === "" ? "Type a filter first." : text}
                error={error.value}
                disabled={text === ""}
                onInput={(value) => {
                  name.value = value;
                  error.value = "";
                }}
              />
              <Button type="submit" disabled={text === "" || table.filterError.value !== null}>
                Save filter
              </Button>
            </form>
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
