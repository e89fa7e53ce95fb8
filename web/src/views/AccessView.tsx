/** Who may do what: the tokens of the service, and the clients that are connected with them. */

import { useEffect } from "preact/hooks";
import { ClientPanel } from "./access/ClientPanel";
import { TokenPanel } from "./access/TokenPanel";
import { useDashboard } from "./context";
import { ProblemText } from "./ui/ProblemText";
import "../styles/access.css";

export function AccessView() {
  const { service } = useDashboard();
  return (
    <div class="access">
      <h1 class="unseen">Access</h1>
      {service.isAdmin.value ? <Access /> : <MayNot />}
    </div>
  );
}

function Access() {
  const { access } = useDashboard();
  useEffect(() => {
    access.watch(() => document.hidden);
    return () => access.rest();
  }, [access]);
  const problem = access.problem.value;
  return (
    <>
      {problem && <ProblemText problem={problem} />}
      <TokenPanel />
      <ClientPanel />
    </>
  );
}

function MayNot() {
  return (
    <section class="panel empty">
      <p>
        This view shows the tokens of the service and who is connected. It needs a token with the
        scope <strong>admin</strong>, and the token of this page does not have it.
      </p>
      <p>
        Sign in with the address that wintun-api printed when it started, or ask an administrator to
        create a token: <code>wintun-api tokens create admin</code>.
      </p>
    </section>
  );
}
