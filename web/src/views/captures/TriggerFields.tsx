/** What a capture waits for before it begins, and how much around it it has. */

import { useId } from "preact/hooks";
import type { EventType } from "../../api/types";
import { type CaptureForm, EVENTS, type TriggerKind } from "../../models/capture-form";
import { FilterField } from "./FilterField";
import { Text } from "./Text";

const KINDS: readonly (readonly [TriggerKind, string])[] = [
  ["", "At once"],
  ["loss", "When packets are lost"],
  ["event", "At an event"],
  ["filter", "When a packet matches a filter"],
  ["call", "When you trigger it"],
];

export function TriggerFields({ form }: { form: CaptureForm }) {
  const id = useId();
  const on = form.on.value;
  return (
    <>
      <div class="pair">
        <div class="field">
          <label for={id}>Start</label>
          <select
            id={id}
            value={on}
            onChange={(event) => {
              form.on.value = event.currentTarget.value as TriggerKind;
            }}
          >
            {KINDS.map(([kind, label]) => (
              <option key={kind} value={kind}>
                {label}
              </option>
            ))}
          </select>
        </div>
        {on === "event" && <EventSelect form={form} />}
      </div>
      {on === "filter" && (
        <FilterField
          label="Trigger filter"
          hint="The capture starts with the first packet that matches."
          check={form.triggerFilter}
        />
      )}
      {on !== "" && (
        <div class="pair">
          <Text
            form={form}
            name="trigger.before"
            label="Before"
            placeholder="0 s"
            hint="Also captures packets from this long before the start."
          />
          <Text
            form={form}
            name="trigger.after"
            label="After"
            placeholder="until you stop it"
            hint="The capture stops this long after the start."
          />
        </div>
      )}
    </>
  );
}

function EventSelect({ form }: { form: CaptureForm }) {
  const id = useId();
  const error = form.error("trigger.event");
  return (
    <div class={error === "" ? "field" : "field wrong"}>
      <label for={id}>Event</label>
      <select
        id={id}
        value={form.event.value}
        aria-invalid={error !== ""}
        aria-describedby={error === "" ? undefined : `${id}-said`}
        onChange={(event) => {
          form.event.value = event.currentTarget.value as EventType;
        }}
      >
        {EVENTS.map((type) => (
          <option key={type} value={type}>
            {type}
          </option>
        ))}
      </select>
      {error !== "" && (
        <p id={`${id}-said`} class="said" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
