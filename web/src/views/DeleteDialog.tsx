/** Remove an adapter, once its name was typed. */

import { useMemo, useState } from "preact/hooks";
import type { Adapter } from "../api/types";
import { Attempt } from "../models/attempt";
import { hasHidden, plainName } from "../models/visible";
import { useDashboard } from "./context";
import { Dialog } from "./ui/Dialog";
import { Field } from "./ui/Field";
import { Name } from "./ui/Name";
import { ProblemText } from "./ui/ProblemText";

export function DeleteDialog({ adapter, onClose }: { adapter: Adapter; onClose: () => void }) {
  const { adapters, notices, service } = useDashboard();
  const [typed, setTyped] = useState("");
  const [force, setForce] = useState(false);
  const attempt = useMemo(() => new Attempt(), []);
  const problem = attempt.problem.value;
  const name = plainName(adapter.name);
  // Nobody can type what cannot be seen.
  const word = hasHidden(adapter.name) ? "delete" : adapter.name.trim();
  const submit = async () => {
    let more = "";
    const done = await attempt.run(async () => {
      const { reboot_required } = await adapters.delete(adapter.guid, force);
      if (reboot_required) more = " Restart the computer to complete this.";
    });
    if (!done) return;
    notices.say(`${name} was deleted.${more}`);
    onClose();
  };
  return (
    <Dialog
      title={
        <>
          Delete <Name of={adapter.name} />
        </>
      }
      action="Delete adapter"
      danger
      busy={attempt.busy.value}
      disabled={typed.trim() !== word}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <p>
        This removes the adapter from the system
        {adapter.session === null ? "" : " and ends its session"}. Programs that use its addresses
        or routes lose them.
      </p>
      <Field
        label={`Type ${hasHidden(adapter.name) ? word : name} to confirm`}
        autoFocus
        value={typed}
        onInput={setTyped}
      />
      {service.driver.value?.capabilities.force_close && (
        <label class="check">
          <input
            type="checkbox"
            checked={force}
            onChange={(event) => setForce(event.currentTarget.checked)}
          />
          Also close sessions of other programs
        </label>
      )}
    </Dialog>
  );
}
