/** A value with a button that copies it. */

import { useDashboard } from "../context";
import { Button } from "./Button";

export function Copy({ text, label }: { text: string; label: string }) {
  const { notices } = useDashboard();
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => notices.say(`${label} copied.`),
      () => notices.say(`The browser does not allow to copy.`),
    );
  return (
    <span class="copy">
      <span class="mono">{text}</span>
      <Button icon="copy" label={`Copy ${label}`} kind="quiet" onClick={copy} />
    </span>
  );
}
