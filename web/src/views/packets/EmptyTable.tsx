/** Why no packet is shown, and what to do about it. */

import { useComputed } from "@preact/signals";
import { heldText } from "../../models/packet-text";
import { isRunning } from "../../models/sessions";
import { count } from "../../models/units";
import { hrefOf } from "../address";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";

export function EmptyTable() {
  const { capture, table } = useDashboard();
  // Drawn again when that changes, not with every frame.
  const isEmpty = useComputed(() => {
    void [table.version.value, capture.generation.value];
    return table.rows.count === 0;
  });
  return isEmpty.value ? <Reason /> : null;
}

function Reason() {
  const { capture, chosen, service, sessions, table } = useDashboard();
  void table.version.value;
  void capture.generation.value;
  const { pending } = capture.engine;
  const { candidates: kept, held } = table.rows;
  if (kept > 0 && table.filterText.value.trim() !== "") {
    return (
      <div class="empty-table" role="status">
        {pending > 0 ? (
          <p>Filtering. No packet matches so far.</p>
        ) : (
          <>
            <p>The filter hides all {count(kept)} packets.</p>
            <Button onClick={() => table.filter("")}>Show all packets</Button>
          </>
        )}
      </div>
    );
  }
  if (held > 0) {
    return (
      <div class="empty-table" role="status">
        <p>{heldText(held)}.</p>
        <Button onClick={() => table.pause(false)}>Resume</Button>
      </div>
    );
  }
  if (capture.file.value !== null) {
    return (
      <div class="empty-table" role="status">
        <p>The file has no packets.</p>
      </div>
    );
  }
  if (!service.can("capture")) {
    return (
      <div class="empty-table" role="status">
        <p>This token cannot see packets.</p>
        <p>Sign in with a token that has the scope “capture”.</p>
      </div>
    );
  }
  const session = sessions.of(chosen.guid.value);
  if (session === undefined || !isRunning(session)) {
    // The line above says why none runs.
    return (
      <div class="empty-table">
        <p>Packets appear here while a session runs.</p>
      </div>
    );
  }
  const name = chosen.name.value;
  return (
    <div class="empty-table" role="status">
      <p>
        Waiting for packets of <bdi>{name}</bdi>.
      </p>
      <p>
        Send something through the adapter, for example with <code>ping</code>, or{" "}
        <a href={hrefOf("compose")}>inject a packet with Compose</a>.
      </p>
    </div>
  );
}
