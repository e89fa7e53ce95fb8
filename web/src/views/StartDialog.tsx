/** Start the session of an adapter, with the capacity of its rings. */

import { useId, useMemo, useState } from "preact/hooks";
import type { Adapter } from "../api/types";
import { Attempt } from "../models/attempt";
import { binary } from "../models/units";
import { plainName } from "../models/visible";
import { useDashboard } from "./context";
import { Dialog } from "./ui/Dialog";
import { Name } from "./ui/Name";
import { ProblemText } from "./ui/ProblemText";

export function StartDialog({ adapter, onClose }: { adapter: Adapter; onClose: () => void }) {
  const { chosen, notices, service, sessions } = useDashboard();
  const limits = service.system.value?.limits;
  const [capacity, setCapacity] = useState(limits?.default_capacity ?? 0x400000);
  const attempt = useMemo(() => new Attempt(), []);
  const problem = attempt.problem.value;
  const id = useId();
  const submit = async () => {
    const done = await attempt.run(async () => {
      await sessions.start(adapter.guid, capacity);
      chosen.choose(adapter);
    });
    if (!done) return;
    notices.say(`Session on ${plainName(adapter.name)} started.`);
    onClose();
  };
  return (
    <Dialog
      title={
        <>
          Start a session on <Name of={adapter.name} />
        </>
      }
      action="Start session"
      busy={attempt.busy.value}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <div class="field">
        <label for={id}>Ring capacity</label>
        <select
          id={id}
          value={String(capacity)}
          onChange={(event) => setCapacity(Number(event.currentTarget.value))}
        >
          {limits &&
            powers(limits.min_capacity, limits.max_capacity).map((bytes) => (
              <option key={bytes} value={String(bytes)}>
                {binary(bytes)}
                {bytes === limits.default_capacity ? " (default)" : ""}
              </option>
            ))}
        </select>
        <p class="said">Per direction; locks {binary(2 * capacity)} of memory.</p>
      </div>
    </Dialog>
  );
}

function powers(least: number, most: number): number[] {
  const found: number[] = [];
  for (let bytes = least; bytes <= most; bytes *= 2) found.push(bytes);
  return found;
}
