/** A number as a slider with steps that grow, and as a field that takes every value. */

import { useId } from "preact/hooks";
import { placeOf, type Quantity, textAt } from "../../models/impairment-fields";
import { numberOf } from "../../models/numbers";

interface Props {
  readonly quantity: Quantity;
  /** What tells it from another with the same label. */
  readonly group: string;
  readonly value: string;
  /** What it is where the directions differ. */
  readonly mixed: string;
  readonly error: string;
  readonly onInput: (text: string) => void;
  readonly onBlur: () => void;
}

export function SliderField({ quantity, group, value, mixed, error, onInput, onBlur }: Props) {
  const id = useId();
  const { label, unit, empty, stops, hint = "" } = quantity;
  const said = error || mixed || hint;
  const name = group === "" ? label : `${label}, ${group}`;
  const shown = value || (mixed === "" ? empty : "different");
  return (
    <div class={error === "" ? "field slider" : "field slider wrong"}>
      <label for={id}>
        {label}
        {group !== "" && <span class="unseen">, {group}</span>}
      </label>
      <input
        type="range"
        aria-label={`${name}, slider`}
        aria-valuetext={Number.isNaN(numberOf(shown)) ? shown || "not set" : `${shown} ${unit}`}
        min={0}
        max={stops.length}
        step={1}
        value={placeOf(quantity, value)}
        onInput={(event) => onInput(textAt(quantity, event.currentTarget.valueAsNumber))}
      />
      <input
        id={id}
        type="text"
        inputMode="decimal"
        autocomplete="off"
        spellcheck={false}
        value={value}
        placeholder={mixed === "" ? empty : "differs"}
        aria-invalid={error !== ""}
        aria-describedby={said === "" ? undefined : `${id}-said`}
        onInput={(event) => onInput(event.currentTarget.value)}
        onBlur={onBlur}
      />
      <span class="unit">{unit}</span>
      {said !== "" && (
        <p id={`${id}-said`} class="said" role={error === "" ? undefined : "alert"}>
          {said}
        </p>
      )}
    </div>
  );
}
