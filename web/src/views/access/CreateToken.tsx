/** Create a token: its name, what it allows, until when. */

import { useId, useMemo } from "preact/hooks";
import { EXPIRIES, SCOPES, TokenForm } from "../../models/token-form";
import { useDashboard } from "../context";
import { Dialog } from "../ui/Dialog";
import { Field } from "../ui/Field";
import { ProblemText } from "../ui/ProblemText";

export function CreateToken({ onClose }: { onClose: () => void }) {
  const { access } = useDashboard();
  const form = useMemo(() => new TokenForm(), []);
  const problem = form.problem.value;
  const submit = async () => {
    if (await form.submit((body) => access.create(body))) onClose();
  };
  return (
    <Dialog
      title="New token"
      action="Create token"
      busy={form.busy.value}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <Field
        label="Name"
        hint="What the token is for, such as the program or person that will use it."
        autoFocus
        error={form.errors.value.name}
        value={form.name.value}
        onInput={(text) => {
          form.name.value = text;
        }}
      />
      <Scopes form={form} />
      <Expiry form={form} />
    </Dialog>
  );
}

function Scopes({ form }: { form: TokenForm }) {
  const id = useId();
  const error = form.errors.value.scopes;
  const isAll = form.scopes.value.has("admin");
  return (
    <fieldset class={error ? "field scopes wrong" : "field scopes"} aria-describedby={`${id}-said`}>
      <legend>Allows</legend>
      {SCOPES.map(([scope, text]) => (
        <label key={scope} class="check">
          <input
            type="checkbox"
            checked={form.scopes.value.has(scope)}
            aria-invalid={error !== ""}
            aria-describedby={`${id}-${scope}`}
            onChange={() => form.toggle(scope)}
          />
          <span>
            {scope}
            <span id={`${id}-${scope}`} class="soft cut">
              {text}
            </span>
          </span>
        </label>
      ))}
      <p id={`${id}-said`} class="said" role={error ? "alert" : undefined}>
        {error || (isAll ? "With admin, the other scopes make no difference." : "")}
      </p>
    </fieldset>
  );
}

function Expiry({ form }: { form: TokenForm }) {
  const id = useId();
  const error = form.errors.value.date;
  return (
    <div class={error ? "field wrong" : "field"}>
      <label for={id}>Expires</label>
      <div class="input expiry">
        <select
          id={id}
          value={form.expiry.value}
          onChange={(event) => {
            form.expiry.value = event.currentTarget.value;
          }}
        >
          {EXPIRIES.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        {form.expiry.value === "date" && (
          <input
            type="datetime-local"
            aria-label="Date and time"
            aria-invalid={error !== ""}
            aria-describedby={`${id}-said`}
            value={form.date.value}
            onInput={(event) => {
              form.date.value = event.currentTarget.value;
            }}
          />
        )}
      </div>
      <p id={`${id}-said`} class="said" role={error ? "alert" : undefined}>
        {error ||
          (form.expiry.value === "never"
            ? "It is valid until it is revoked."
            : "Connections that use it end at that time, too.")}
      </p>
    </div>
  );
}
