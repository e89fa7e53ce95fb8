/** A value with a button that copies it. */

import { useDashboard } from "../context";
import { Button } from "./Button";

export function Copy({ text, label }: { text: string; label: string }) {
  const { notices } = useDashboard();
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => notices.say(`${label} copied.`),
      () => notices.say(`The browser did not allow copying.`),
    );
  return (
    <span class="copy">
      <span class="mono">{text}</span>
      <Button icon="copy" label={`Copy ${label}`} kind="quiet" onClick={copy} />
    </span>
  );
}
