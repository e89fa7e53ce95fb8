/** A value with a button that copies it. */

import { useDashboard } from "../context";
import { Button } from "./Button";
import { useCopying } from "./copying";

interface Props {
  readonly text: string;
  readonly label: string;
  /** What is copied, where it is another than what is shown. */
  readonly copied?: string;
}

export function Copy({ text, label, copied = text }: Props) {
  const copy = useCopying(useDashboard().notices);
  return (
    <span class="copy">
      <span class="mono">{text}</span>
      <Button
        icon="copy"
        label={`Copy ${label}`}
        kind="quiet"
        onClick={() => copy(copied, `Copied ${copied}.`)}
      />
    </span>
  );
}
