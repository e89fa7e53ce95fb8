/** A field and a button below a list: what is typed is added to it, or it is said why it cannot be. */

import { useSignal } from "@preact/signals";
import { Button } from "../ui/Button";
import { Field } from "../ui/Field";

interface Props {
  readonly label: string;
  readonly action: string;
  readonly hint: string;
  readonly mono?: boolean;
  /** Whether there is nothing to add now. */
  readonly disabled?: boolean;
  /** Whether what there is to add is wrong. */
  readonly wrong?: boolean;
  /** Add what was typed; return why it cannot be, "" when it was. */
  readonly add: (typed: string) => string;
}

export function AddForm({ label, action, hint, add, ...rest }: Props) {
  const { mono = false, disabled = false, wrong = false } = rest;
  const typed = useSignal("");
  const error = useSignal("");
  return (
    <form
      class="save-filter"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        error.value = add(typed.value);
        if (error.value === "") typed.value = "";
      }}
    >
      <Field
        label={label}
        value={typed.value}
        mono={mono}
        hint={hint}
        error={error.value}
        disabled={disabled}
        onInput={(value) => {
          typed.value = value;
          error.value = "";
        }}
      />
      <Button type="submit" disabled={disabled || wrong}>
        {action}
      </Button>
    </form>
  );
}
