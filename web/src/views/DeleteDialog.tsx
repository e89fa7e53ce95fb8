/** Remove an adapter, once its name was typed. */

import { useMemo, useState } from "preact/hooks";
import type { Adapter } from "../api/types";
import { Attempt } from "../models/attempt";
import { useDashboard } from "./context";
import { Dialog } from "./ui/Dialog";
import { Field } from "./ui/Field";
import { ProblemText } from "./ui/ProblemText";

export function DeleteDialog({ adapter, onClose }: { adapter: Adapter; onClose: () => void }) {
  const { adapters, notices, service } = useDashboard();
  const [typed, setTyped] = useState("");
  const [force, setForce] = useState(false);
  const attempt = useMemo(() => new Attempt(), []);
  const problem = attempt.problem.value;
  const submit = async () => {
    let more = "";
    const done = await attempt.run(async () => {
      const { reboot_required } = await adapters.delete(adapter.guid, force);
      if (reboot_required) more = " The system wants a reboot to finish it.";
    });
    if (!done) return;
    notices.say(`${adapter.name} was deleted.${more}`);
    onClose();
  };
  return (
    <Dialog
      title={`Delete ${adapter.name}`}
      action="Delete adapter"
      danger
      busy={attempt.busy.value}
      disabled={typed.trim() !== adapter.name.trim()}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <p>
        The device is removed from the system
        {adapter.session === null ? "" : ", its session ends"}, and what uses its addresses and
        routes loses them.
      </p>
      <Field label={`Type ${adapter.name} to confirm`} autoFocus value={typed} onInput={setTyped} />
      {service.driver.value?.capabilities.force_close && (
        <label class="check">
          <input
            type="checkbox"
            checked={force}
            onChange={(event) => setForce(event.currentTarget.checked)}
          />
          Close sessions of other processes too
        </label>
      )}
    </Dialog>
  );
}
