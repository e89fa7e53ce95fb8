/** The bad network of a session: what is set, what it did, and a form that changes it. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { ImpairmentModel } from "../../models/impairment";
import type { SessionsModel } from "../../models/sessions";
import { clock } from "../../models/units";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { Facts } from "../ui/Facts";
import { ProblemText } from "../ui/ProblemText";
import { CounterTable } from "./CounterTable";
import { ImpairmentFields } from "./ImpairmentFields";
import { RuleList } from "./RuleList";

export function ImpairmentPanel({ session, name }: { session: string; name: string }) {
  const { notices, service, sessions } = useDashboard();
  const model = useMemo(() => modelOf(sessions, session), [sessions, session]);
  const [replacing, setReplacing] = useState(false);
  useEffect(() => {
    model.watch(() => document.hidden);
    return () => model.rest();
  }, [model]);
  const { form } = model;
  const active = model.active.value;
  const busy = model.busy.value;
  const isForeign = model.isForeign.value;
  const isAdmin = service.isAdmin.value;
  const problem = model.problem.value;
  const isEdited = isAdmin && (!isForeign || replacing);
  const apply = async () => {
    if ((await model.apply()) === null) return;
    setReplacing(false);
    const isImpaired = sessions.find(session)?.impairment != null;
    notices.say(isImpaired ? `${name} is impaired.` : `Packets of ${name} pass unchanged.`);
  };
  const remove = async () => {
    if ((await model.remove()) !== null) notices.say(`${name} is no longer impaired.`);
  };
  return (
    <div class="impairment">
      {active && (
        <Facts
          facts={[
            ["Seed", <span class="mono">{active.seed}</span>],
            ["Set", clock(new Date(active.set_at)).slice(0, 8)],
            ["Delayed packets", `are ${HAPPENS[active.on_change]} when settings change`],
          ]}
        />
      )}
      {active && isForeign && <RuleList rules={active.rules} />}
      <form
        noValidate
        aria-label={`Impair ${name}`}
        onSubmit={(event) => {
          event.preventDefault();
          void apply();
        }}
      >
        {problem && <ProblemText problem={problem} />}
        {form.rest.value.length > 0 && (
          <ul class="problem" role="alert">
            {form.rest.value.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
        {isEdited && <ImpairmentFields form={form} presets={model.presets.value} />}
        {isAdmin && (
          <div class="impairment-actions">
            {isEdited ? (
              // A key of its own: the button that was clicked must not become one that submits.
              <Button
                key="submit"
                type="submit"
                online
                kind="primary"
                disabled={busy || form.isEmpty.value}
              >
                {active === null ? "Apply" : isForeign ? "Replace the rules" : "Apply again"}
              </Button>
            ) : (
              <Button
                key="replace"
                onClick={() => {
                  model.replace();
                  setReplacing(true);
                }}
              >
                Replace…
              </Button>
            )}
            {isEdited && (form.changed.value || replacing) && (
              <Button
                disabled={busy}
                onClick={() => {
                  model.reset();
                  setReplacing(false);
                }}
              >
                Reset
              </Button>
            )}
            {active && (
              <Button kind="danger" online disabled={busy} onClick={remove}>
                Remove
              </Button>
            )}
          </div>
        )}
      </form>
      {model.last.value && <CounterTable of={model.last.value} removed={active === null} />}
    </div>
  );
}

/** What is typed stays while other views are shown. */
let kept: ImpairmentModel | null = null;

function modelOf(sessions: SessionsModel, session: string): ImpairmentModel {
  if (kept?.session !== session) kept = new ImpairmentModel(sessions, session);
  return kept;
}

const HAPPENS = { deliver: "delivered at once", drop: "dropped" } as const;
