/** A field of text in the form of a capture. */

import type { CaptureForm, FieldName } from "../../models/capture-form";
import { Field } from "../ui/Field";

interface Props {
  readonly form: CaptureForm;
  readonly name: FieldName;
  readonly label: string;
  readonly placeholder?: string;
  readonly hint?: string;
  readonly unit?: string;
  readonly list?: string;
  readonly autoFocus?: boolean;
}

export function Text({ form, name, ...props }: Props) {
  return (
    <Field
      {...props}
      value={form.texts.value[name]}
      error={form.error(name)}
      onInput={(text) => form.set(name, text)}
      onBlur={() => form.touch(name)}
    />
  );
}
