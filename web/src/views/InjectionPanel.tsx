/** How often to send what is composed, and what became of it. */

import type { Repeat } from "../models/compose";
import { causeText } from "../models/losses";
import { count, scaled } from "../models/units";
import { goTo } from "./address";
import { useDashboard } from "./context";
import { ImpairedBadge } from "./Impaired";
import { Button } from "./ui/Button";
import { Choice } from "./ui/Choice";
import { Field } from "./ui/Field";

const REPEATS: readonly { readonly id: Repeat; readonly label: string }[] = [
  { id: "once", label: "Once" },
  { id: "times", label: "Many times" },
  { id: "rate", label: "At a rate" },
];

export function InjectionPanel() {
  const dashboard = useDashboard();
  const { adapters, capture, compose, service, sessions } = dashboard;
  const { injector } = compose;
  const { repeat, count: times, rate } = compose.draft.value;
  const session = sessions.running.value.find((one) => one.id === capture.session.value);
  const name = session && adapters.find(session.adapter)?.name;
  const running = injector.running.value;
  const why = !service.can("inject")
    ? "This token may not inject packets."
    : session === undefined
      ? "No session runs; start one on the Overview."
      : compose.planError.value;
  const ready = why === "" && typeof compose.packet.value !== "string";
  return (
    <section class="panel" aria-labelledby="inject-title">
      <header class="panel-head">
        <h2 id="inject-title">Inject{name && ` into ${name}`}</h2>
        {session && <ImpairedBadge guid={session.adapter} />}
      </header>
      <form
        class="panel-body"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !running) void dashboard.inject();
        }}
      >
        <Choice
          label="How often"
          value={repeat}
          options={REPEATS}
          onChange={(next) => compose.set({ repeat: next })}
        />
        <div class="pair">
          {repeat !== "once" && (
            <Field
              label="Packets"
              value={times}
              hint={repeat === "rate" ? "Empty: until it is stopped." : ""}
              onInput={(text) => compose.set({ count: text })}
            />
          )}
          {repeat === "rate" && (
            <Field
              label="Rate"
              unit="packets/s"
              value={rate}
              onInput={(text) => compose.set({ rate: text })}
            />
          )}
        </div>
        <div class="send">
          {/* Two elements: else the click that stops ends on a submit button and sends again. */}
          {running ? (
            <Button key="stop" icon="stop" onClick={() => injector.stop()}>
              Stop
            </Button>
          ) : (
            <Button key="send" icon="send" kind="primary" type="submit" disabled={!ready}>
              Send
            </Button>
          )}
          <Button icon="table" kind="quiet" onClick={showAnswers(dashboard)}>
            Show in the live table
          </Button>
          {why && <p class="wrong-text">{why}</p>}
        </div>
        <Outcome />
      </form>
    </section>
  );
}

/** Filter the live table to what goes between the two addresses. */
function showAnswers({ compose, table }: ReturnType<typeof useDashboard>) {
  return () => {
    const decoded = compose.decoded.value;
    if (decoded?.source && decoded.destination) {
      table.filter(`ip.addr == ${decoded.source} and ip.addr == ${decoded.destination}`);
    }
    table.follow(true);
    goTo("packets");
  };
}

function Outcome() {
  const { injector } = useDashboard().compose;
  const report = injector.report.value;
  const error = injector.error.value;
  if (report === null) return <p class="outcome soft">Nothing was sent yet.</p>;
  const rejected = Object.entries(report.rejected);
  return (
    <div class="outcome" role="status">
      <p>
        <strong>{count(report.accepted)}</strong> of {count(report.sent)} packets sent
        {report.seconds > 1 && ` in ${report.seconds.toFixed(1)} s, ${rateOf(report)}`}
        {injector.running.value && " so far"}.
      </p>
      {report.ringFull > 0 && (
        <p class="wrong-text">{count(report.ringFull)} dropped: the send ring was full.</p>
      )}
      {rejected.map(([reason, number]) => (
        <p key={reason} class="wrong-text">
          {count(number)} rejected: {causeText(reason)}.
        </p>
      ))}
      {error && (
        <p class="wrong-text" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function rateOf({ accepted, seconds }: { accepted: number; seconds: number }): string {
  return scaled(accepted / seconds, "packets/s");
}
