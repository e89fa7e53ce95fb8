/** A labelled input with a hint, and room for its error. */

import { useEffect, useId } from "preact/hooks";
import { afterPress } from "./press";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onInput: (text: string) => void;
  readonly onBlur?: () => void;
  readonly hint?: string;
  readonly error?: string;
  readonly unit?: string;
  /** More than one makes a field of lines. */
  readonly rows?: number;
  readonly disabled?: boolean;
  readonly placeholder?: string;
  readonly mono?: boolean;
  readonly autoFocus?: boolean;
  readonly type?: "text" | "password";
  readonly list?: string;
}

export function Field(props: Props) {
  const { label, value, onInput, onBlur, hint = "", error = "", unit, rows = 1 } = props;
  const id = useId();
  // In a dialog this is too early: the dialog itself does it when it opens.
  useEffect(() => {
    if (props.autoFocus) document.getElementById(id)?.focus();
  }, []);
  const said = error || hint;
  const shared = {
    id,
    value,
    class: props.mono ? "mono" : undefined,
    disabled: props.disabled,
    placeholder: props.placeholder,
    "data-autofocus": props.autoFocus,
    spellcheck: false,
    autocomplete: "off",
    "aria-invalid": error !== "",
    "aria-describedby": said === "" ? undefined : `${id}-said`,
    // The error that it may bring moves what is below.
    onBlur: onBlur && (() => afterPress(onBlur)),
  };
  return (
    <div class={error === "" ? "field" : "field wrong"}>
      <label for={id}>{label}</label>
      <div class="input">
        {rows > 1 ? (
          <textarea
            {...shared}
            rows={rows}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
        ) : (
          <input
            {...shared}
            {...typeOf(props)}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
        )}
        {unit && <span class="unit">{unit}</span>}
      </div>
      {said !== "" && (
        <p id={`${id}-said`} class="said" role={error === "" ? undefined : "alert"}>
          {said}
        </p>
      )}
    </div>
  );
}

function typeOf({ type, list }: Props) {
  if (list !== undefined) return { type: "text" as const, list };
  return type === "password" ? { type } : { type: "text" as const };
}
