/** The tokens: what each allows, until when, and what is open with it. */

import { useState } from "preact/hooks";
import type { Token } from "../../api/types";
import { count, duration, momentText } from "../../models/units";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { Copy } from "../ui/Copy";
import { Name } from "../ui/Name";
import { type Column, TableHead } from "../ui/TableHead";
import { CreateToken } from "./CreateToken";
import { RevokeToken } from "./RevokeToken";

const COLUMNS: readonly Column[] = [
  ["Name"],
  ["Scopes"],
  ["Created", "at-least-m"],
  ["Expires"],
  ["Connections", "number at-least-s"],
  [<span class="unseen">Actions</span>],
];

export function TokenPanel() {
  const { access } = useDashboard();
  const [isCreating, setCreating] = useState(false);
  const [revoked, setRevoked] = useState<Token | null>(null);
  const list = access.tokens.value;
  return (
    <section class="panel" aria-labelledby="tokens-title">
      <header class="panel-head">
        <h2 id="tokens-title">Tokens</h2>
        <span class="count">{list?.length}</span>
        <span class="grow" />
        <Button icon="plus" kind="primary" online onClick={() => setCreating(true)}>
          New token…
        </Button>
      </header>
      <Created />
      {list === null && !access.problem.value && <p class="waiting">Loading…</p>}
      {list?.length === 0 && (
        <div class="empty">
          <p>No tokens yet, except the admin token in the token file.</p>
          <p>
            Choose <strong>New token…</strong> to give a program or a person a token of its own that
            allows less.
          </p>
        </div>
      )}
      {list !== null && list.length > 0 && (
        <div class="scroll">
          <table class="grid">
            <TableHead columns={COLUMNS} />
            <tbody>
              {list.map((token) => (
                <Row key={token.id} token={token} onRevoke={() => setRevoked(token)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="note">
        The admin token is not in this list: it is in the service's token file, allows everything
        and does not expire.
      </p>
      {isCreating && <CreateToken onClose={() => setCreating(false)} />}
      {revoked && <RevokeToken token={revoked} onClose={() => setRevoked(null)} />}
    </section>
  );
}

function Row({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  const { access } = useDashboard();
  const { id, label, scopes, created_at: created, expires_at: expires } = token;
  const left = expires === null ? 0 : (Date.parse(expires) - Date.now()) / 1000;
  return (
    <tr>
      <th scope="row">
        {label ? <Name of={label} cut /> : <span class="soft cut">No name</span>}
        <span class="soft mono cut">{id}</span>
      </th>
      <td>
        {scopes.map((scope) => (
          <span key={scope} class={scope === "admin" ? "badge warn" : "badge"}>
            {scope}
          </span>
        ))}
      </td>
      <td class="at-least-m">{momentText(created)}</td>
      <td>
        {expires === null ? "Never" : momentText(expires)}
        {expires !== null && <span class="soft cut">in {duration(left)}</span>}
      </td>
      <td class="number at-least-s">{count(access.clientsOf(id).length)}</td>
      <td class="end">
        <Button icon="trash" kind="danger" online onClick={onRevoke}>
          Revoke…
        </Button>
      </td>
    </tr>
  );
}

/** The secret of a new token, until the reader says that it is kept. */
function Created() {
  const { access } = useDashboard();
  const token = access.created.value;
  if (token === null) return null;
  return (
    <div class="created" role="status">
      <p>
        <strong>
          The token <Name of={token.label || token.id} /> was created.
        </strong>{" "}
        Copy it now: it is shown only this once. Anyone who has it can do what it allows, so keep it
        like a password.
      </p>
      <Copy text={token.token} label="token" />
      <Button
        onClick={() => {
          access.created.value = null;
        }}
      >
        I have saved it
      </Button>
    </div>
  );
}
