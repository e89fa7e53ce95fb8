/** The named captures: all of them, and the files of the selected one. */

import { useEffect, useState } from "preact/hooks";
import { CaptureDetail } from "./captures/CaptureDetail";
import { CaptureTable } from "./captures/CaptureTable";
import { StartCapture } from "./captures/StartCapture";
import { useDashboard } from "./context";
import { Button } from "./ui/Button";
import { ProblemText } from "./ui/ProblemText";

export function CapturesView() {
  return (
    <div class="captures">
      <h1 class="unseen">Captures</h1>
      <Captures />
    </div>
  );
}

function Captures() {
  const { captures, service } = useDashboard();
  const [isStarting, setStarting] = useState(false);
  useEffect(() => {
    captures.watch(() => document.hidden);
    return () => captures.rest();
  }, [captures]);
  const list = captures.list.value;
  const problem = captures.problem.value;
  const selected = captures.selected.value;
  return (
    <div class="capture-list">
      <section class="panel" aria-labelledby="captures-title">
        <header class="panel-head">
          <h2 id="captures-title">Captures</h2>
          <span class="count">{list?.length}</span>
          <span class="grow" />
          {service.can("capture") && (
            <Button icon="plus" kind="primary" online onClick={() => setStarting(true)}>
              New capture…
            </Button>
          )}
        </header>
        {list === null && problem && (
          <div class="panel-body">
            <ProblemText problem={problem} />
          </div>
        )}
        {list === null && !problem && <p class="waiting">Loading…</p>}
        {!service.can("capture") && <OnlySeen />}
        {list?.length === 0 && <Nothing />}
        {list !== null && list.length > 0 && <CaptureTable list={list} />}
      </section>
      {list !== null && list.length > 0 && (
        <aside class="panel" aria-label="Selected capture">
          {selected === undefined ? (
            <p class="empty">Select a capture to see its settings and its files.</p>
          ) : (
            <CaptureDetail key={selected.id} capture={selected} />
          )}
        </aside>
      )}
      {isStarting && <StartCapture onClose={() => setStarting(false)} />}
    </div>
  );
}

function Nothing() {
  const { service } = useDashboard();
  return (
    <div class="empty">
      <p>No captures yet.</p>
      {service.can("capture") && (
        <p>
          Choose <strong>New capture…</strong> to write the packets of one, several or all adapters
          to files on the service's computer. A capture keeps running when you close this page. You
          can open its files in Wireshark.
        </p>
      )}
    </div>
  );
}

function OnlySeen() {
  return (
    <p class="empty">
      This token may see captures, but not start, stop or download them, because it does not have
      the scope “capture”. An administrator can create a token that has it:{" "}
      <code>wintun-api tokens create read capture</code>.
    </p>
  );
}
