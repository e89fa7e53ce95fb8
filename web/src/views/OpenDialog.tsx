/** Open an adapter that exists, by name and pool. */

import { useMemo } from "preact/hooks";
import { AdapterForm } from "../models/adapter-form";
import { plainName } from "../models/visible";
import { useDashboard } from "./context";
import { Dialog } from "./ui/Dialog";
import { Field } from "./ui/Field";
import { ProblemText } from "./ui/ProblemText";

const KNOWN = "known-adapters";

export function OpenDialog({ onClose }: { onClose: () => void }) {
  const { adapters, notices, service } = useDashboard();
  const form = useMemo(() => new AdapterForm(null), []);
  const { name, pool } = form.texts.value;
  const problem = form.problem.value;
  const submit = async () => {
    if (!(await form.submit(() => adapters.open(name, pool)))) return;
    notices.say(`${plainName(name)} was opened.`);
    onClose();
  };
  return (
    <Dialog
      title="Open adapter"
      action="Open"
      busy={form.busy.value}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <p>Open an adapter that another program created, so that you can start a session on it.</p>
      <div class="pair">
        <Field
          label="Name"
          autoFocus
          list={KNOWN}
          value={name}
          error={form.error("name")}
          onInput={(text) => form.set("name", text)}
          onBlur={() => form.touch("name")}
        />
        <Field
          label={service.poolWord.value}
          value={pool}
          error={form.error("pool")}
          onInput={(text) => form.set("pool", text)}
          onBlur={() => form.touch("pool")}
        />
      </div>
      <datalist id={KNOWN}>
        {adapters.list.value
          .filter((adapter) => !adapter.managed)
          .map((adapter) => (
            <option key={adapter.guid} value={adapter.wintun_name} />
          ))}
      </datalist>
    </Dialog>
  );
}
