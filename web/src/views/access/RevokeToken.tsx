/** Revoke a token, once it was confirmed what ends with it. */

import { useMemo } from "preact/hooks";
import type { Token } from "../../api/types";
import { Attempt } from "../../models/attempt";
import { count } from "../../models/units";
import { plainName } from "../../models/visible";
import { useDashboard } from "../context";
import { Dialog } from "../ui/Dialog";
import { Name } from "../ui/Name";
import { ProblemText } from "../ui/ProblemText";

export function RevokeToken({ token, onClose }: { token: Token; onClose: () => void }) {
  const { access, notices } = useDashboard();
  const attempt = useMemo(() => new Attempt(), []);
  const problem = attempt.problem.value;
  const name = token.label || token.id;
  const clients = access.clientsOf(token.id);
  const submit = async () => {
    if (!(await attempt.run(() => access.revoke(token.id)))) return;
    notices.say(`The token ${plainName(name)} was revoked.`);
    onClose();
  };
  return (
    <Dialog
      title={
        <>
          Revoke <Name of={name} />
        </>
      }
      action="Revoke token"
      danger
      busy={attempt.busy.value}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <p>
        The token <Name of={name} /> stops working at once, and this cannot be undone.
      </p>
      <p>
        {clients.length === 0
          ? "Nothing is connected with it now."
          : `${ends(clients.length)}: its streams of packets, events and captures.`}
      </p>
      {clients.some((one) => one.own) && (
        <p class="warning">
          <strong>This page uses this token: you will be signed out.</strong>
        </p>
      )}
    </Dialog>
  );
}

function ends(clients: number): string {
  return clients === 1 ? "1 connection ends" : `${count(clients)} connections end`;
}
