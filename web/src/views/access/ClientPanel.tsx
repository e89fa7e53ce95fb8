/** Who is connected: each open stream with its token, its queue and its losses. */

import { useMemo, useState } from "preact/hooks";
import type { ConnectedClient } from "../../api/types";
import { Attempt } from "../../models/attempt";
import * as text from "../../models/client-text";
import { count, momentText } from "../../models/units";
import { plainName } from "../../models/visible";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Name } from "../ui/Name";
import { ProblemText } from "../ui/ProblemText";
import { type Column, TableHead } from "../ui/TableHead";

const COLUMNS: readonly Column[] = [
  ["Client"],
  ["Token, scopes"],
  ["Address, program", "elastic at-least-l"],
  ["Since", "at-least-m"],
  ["Waiting", "number at-least-m"],
  ["Delivered, sent", "number at-least-s"],
  ["Lost", "number"],
  [<span class="unseen">Actions</span>],
];

export function ClientPanel() {
  const { access } = useDashboard();
  const [chosen, setChosen] = useState<ConnectedClient | null>(null);
  const list = access.clients.value;
  return (
    <section class="panel" aria-labelledby="clients-title">
      <header class="panel-head">
        <h2 id="clients-title">Connected clients</h2>
        <span class="count">{list?.length}</span>
        <span class="grow" />
        <a href="/guide/security#who-is-connected" target="_blank" rel="noopener">
          What is listed here
        </a>
      </header>
      {list === null && !access.problem.value && <p class="waiting">Loading…</p>}
      {list?.length === 0 && <p class="empty">No clients are connected.</p>}
      {list !== null && list.length > 0 && (
        <div class="scroll">
          <table class="grid">
            <TableHead columns={COLUMNS} />
            <tbody>
              {list.map((client) => (
                <Row key={client.id} client={client} onChoose={() => setChosen(client)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {chosen && <Disconnect client={chosen} onClose={() => setChosen(null)} />}
    </section>
  );
}

function Row({ client, onChoose }: { client: ConnectedClient; onChoose: () => void }) {
  const { access } = useDashboard();
  const { adapter_name: adapter, scopes, user_agent: program, connected_at: since } = client;
  const lost = text.lostCount(client);
  return (
    <tr>
      <th scope="row">
        {text.kindText(client)}
        {access.isThisPage(client) ? (
          <span class="badge good">This page</span>
        ) : (
          client.own && client.browser && <span class="badge">This browser</span>
        )}
        {adapter !== null && (
          <span class="soft">
            <Name of={adapter} cut />
          </span>
        )}
      </th>
      <td>
        <Name of={text.tokenText(client)} cut />
        <span class="cut soft">{scopes.includes("admin") ? "admin" : scopes.join(", ")}</span>
      </td>
      <td class="elastic at-least-l">
        <span class="mono">{text.addressText(client)}</span>
        <span class="soft">
          <Name of={program || "unknown program"} cut />
        </span>
      </td>
      <td class="at-least-m">{momentText(since)}</td>
      <td class="number at-least-m">
        {text.queueText(client)}
        <span class="cut soft">{text.policyText(client)}</span>
      </td>
      <td class="number at-least-s">
        {client.delivered === null ? "" : count(client.delivered)}
        {client.injected ? <span class="cut soft">{count(client.injected)} sent</span> : null}
      </td>
      <td class={lost > 0 ? "number lost" : "number"} title={text.lostText(client)}>
        {lost > 0 ? count(lost) : "none"}
        {lost > 0 && <span class="unseen">: {text.lostText(client)}</span>}
      </td>
      <td class="end">
        <Button
          icon="close"
          label={`Disconnect ${plainName(text.nameText(client))}…`}
          title=""
          kind="danger"
          online
          onClick={onChoose}
        >
          Disconnect…
        </Button>
      </td>
    </tr>
  );
}

function Disconnect({ client, onClose }: { client: ConnectedClient; onClose: () => void }) {
  const { access, notices } = useDashboard();
  const attempt = useMemo(() => new Attempt(), []);
  const problem = attempt.problem.value;
  const name = `${text.kindText(client)}, ${text.tokenText(client)}`;
  const submit = async () => {
    if (!(await attempt.run(() => access.disconnect(client.id)))) return;
    notices.say(`${plainName(name)} was disconnected.`);
    onClose();
  };
  return (
    <Dialog
      title="Disconnect client"
      action="Disconnect"
      danger
      busy={attempt.busy.value}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <p>
        <Name of={name} /> at {text.addressText(client)} will be disconnected.{" "}
        {text.endText(client)}
      </p>
      <p>
        Its token stays valid, so it can connect again. To keep it away, revoke the token instead.
      </p>
      {access.isThisPage(client) && (
        <p class="warning">
          <strong>This is the page you are looking at.</strong> It stays disconnected until you
          choose Connect again.
        </p>
      )}
    </Dialog>
  );
}
