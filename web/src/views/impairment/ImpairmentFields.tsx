/** The form: a preset, the direction, a slider and a number for each value, the seed. */

import { useEffect, useId, useState } from "preact/hooks";
import type { Preset } from "../../api/types";
import { DISTRIBUTIONS, MAIN, MORE, type Quantity, SWITCHES } from "../../models/impairment-fields";
import type { ImpairmentForm, Side } from "../../models/impairment-form";
import { Choice } from "../ui/Choice";
import { Field } from "../ui/Field";
import { SliderField } from "./SliderField";

const SIDES: readonly { readonly id: Side; readonly label: string }[] = [
  { id: "both", label: "Both directions" },
  { id: "received", label: "From host" },
  { id: "injected", label: "To host" },
];

interface Props {
  readonly form: ImpairmentForm;
  readonly presets: readonly Preset[];
}

export function ImpairmentFields({ form, presets }: Props) {
  const rare = [...MORE.flatMap(({ fields }) => fields.map(({ name }) => name)), "distribution"];
  const set = rare.filter((name) => form.value(name) || form.mixed(name)).length;
  const isWrong = rare.some((name) => form.error(name));
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (isWrong) setOpen(true);
  }, [isWrong]);
  return (
    <>
      <PresetSelect form={form} presets={presets} />
      <Choice
        label="Direction"
        value={form.side.value}
        options={SIDES}
        onChange={(side) => {
          form.side.value = side;
        }}
      />
      <p class="said">{SIDE_HINTS[form.side.value]}</p>
      <Rows form={form} fields={MAIN} />
      {SWITCHES.map(([name, label]) => (
        <Switch key={name} form={form} name={name} label={label} />
      ))}
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          More: shape of delays, correlation, bursts, queue
          {set > 0 && <span class="badge">{set} set</span>}
        </summary>
        <DistributionSelect form={form} />
        {MORE.map(({ title, fields }) => (
          <fieldset key={title}>
            <legend>{title}</legend>
            <Rows form={form} fields={fields} group={title} />
          </fieldset>
        ))}
      </details>
      <div class="pair">
        <Field
          label="Seed"
          mono
          placeholder="chosen by the service"
          hint="The same seed makes the same random choices again."
          value={form.state.value.seed}
          error={form.errorOf("seed")}
          onInput={(text) => form.setSeed(text)}
          onBlur={() => form.touch("seed")}
        />
        <OnChangeSelect form={form} />
      </div>
    </>
  );
}

const SIDE_HINTS: Record<Side, string> = {
  both: "Packets in both directions.",
  received: "Packets that the host sends (the API calls them received).",
  injected: "Packets that programs inject for the host (the API calls them injected).",
};

function Rows({
  form,
  fields,
  group = "",
}: {
  form: ImpairmentForm;
  fields: readonly Quantity[];
  group?: string;
}) {
  return (
    <>
      {fields.map((quantity) => (
        <SliderField
          key={quantity.name}
          quantity={quantity}
          group={group}
          value={form.value(quantity.name)}
          mixed={form.mixed(quantity.name)}
          error={form.error(quantity.name)}
          onInput={(text) => form.set(quantity.name, text)}
          onBlur={() => form.touch(quantity.name)}
        />
      ))}
    </>
  );
}

function PresetSelect({ form, presets }: Props) {
  const id = useId();
  const { preset } = form.state.value;
  const chosen = presets.find(({ name }) => name === preset);
  const error = form.errorOf("preset");
  return (
    <div class={error === "" ? "field" : "field wrong"}>
      <label for={id}>Preset</label>
      <select
        id={id}
        value={preset}
        aria-invalid={error !== ""}
        aria-describedby={`${id}-said`}
        onChange={(event) => {
          const name = event.currentTarget.value;
          form.choose(presets.find((one) => one.name === name) ?? null);
        }}
      >
        <option value="">Custom values</option>
        {preset !== "" && chosen === undefined && <option value={preset}>{preset}</option>}
        {presets.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
      <p id={`${id}-said`} class="said" role={error === "" ? undefined : "alert"}>
        {error || (chosen && `Source: ${chosen.source}`)}
      </p>
    </div>
  );
}

function DistributionSelect({ form }: { form: ImpairmentForm }) {
  const id = useId();
  const error = form.error("distribution");
  const said = error || form.mixed("distribution");
  return (
    <div class={error === "" ? "field" : "field wrong"}>
      <label for={id}>Shape of delays</label>
      <select
        id={id}
        value={form.value("distribution")}
        aria-invalid={error !== ""}
        aria-describedby={said === "" ? undefined : `${id}-said`}
        onChange={(event) => form.set("distribution", event.currentTarget.value)}
      >
        {DISTRIBUTIONS.map((name) => (
          <option key={name} value={name === "uniform" ? "" : name}>
            {SHAPES[name]}
          </option>
        ))}
      </select>
      {said !== "" && (
        <p id={`${id}-said`} class="said" role={error === "" ? undefined : "alert"}>
          {said}
        </p>
      )}
    </div>
  );
}

const SHAPES: Record<(typeof DISTRIBUTIONS)[number], string> = {
  uniform: "Uniform: all equally likely",
  normal: "Normal: a bell",
  pareto: "Pareto: a few much longer",
  paretonormal: "Paretonormal: a bell with a few much longer",
};

function Switch({ form, name, label }: { form: ImpairmentForm; name: string; label: string }) {
  const id = useId();
  const said = form.error(name) || form.mixed(name);
  return (
    <div class={form.error(name) === "" ? "field" : "field wrong"}>
      <label class="check">
        <input
          type="checkbox"
          checked={form.value(name) !== ""}
          indeterminate={form.mixed(name) !== ""}
          aria-describedby={said === "" ? undefined : id}
          onChange={(event) => form.set(name, event.currentTarget.checked ? "on" : "")}
        />
        {label}
      </label>
      {said !== "" && (
        <p id={id} class="said" role={form.error(name) === "" ? undefined : "alert"}>
          {said}
        </p>
      )}
    </div>
  );
}

function OnChangeSelect({ form }: { form: ImpairmentForm }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Delayed packets on change</label>
      <select
        id={id}
        value={form.state.value.onChange}
        onChange={(event) =>
          form.setOnChange(event.currentTarget.value === "drop" ? "drop" : "deliver")
        }
      >
        <option value="deliver">deliver at once</option>
        <option value="drop">drop</option>
      </select>
      {form.errorOf("on_change") && (
        <p class="said wrong-text" role="alert">
          {form.errorOf("on_change")}
        </p>
      )}
    </div>
  );
}
