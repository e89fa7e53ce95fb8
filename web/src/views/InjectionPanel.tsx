/** Where and how often to send what is composed, what became of it, and what came back. */

import type { Repeat } from "../models/compose";
import { isShort } from "../models/injector";
import { causeText } from "../models/losses";
import { count, scaled } from "../models/units";
import { plainName } from "../models/visible";
import { goTo } from "./address";
import { useDashboard } from "./context";
import { ImpairedBadge } from "./Impaired";
import { SessionNote } from "./SessionNote";
import { SessionPicker } from "./SessionPicker";
import { Button } from "./ui/Button";
import { Choice } from "./ui/Choice";
import { Direction } from "./ui/Direction";
import { Field } from "./ui/Field";
import { Name } from "./ui/Name";

const REPEATS: readonly { readonly id: Repeat; readonly label: string }[] = [
  { id: "once", label: "Once" },
  { id: "times", label: "Many times" },
  { id: "rate", label: "At a rate" },
];

export function InjectionPanel() {
  const dashboard = useDashboard();
  const { adapters, chosen, compose, service, target } = dashboard;
  const { injector } = compose;
  const { repeat, count: times, rate } = compose.draft.value;
  const session = target.value;
  const adapter = adapters.find(chosen.target.value);
  const running = injector.running.value;
  const mayInject = service.can("inject");
  const ready = mayInject && session !== null && compose.ready.value;
  const name = plainName(chosen.name.value);
  const warnings = adapter ? compose.warnings({ ...adapter, name }) : [];
  return (
    <section class="panel" aria-labelledby="inject-title">
      <header class="panel-head">
        <h2 id="inject-title">Send</h2>
        <SessionPicker label="to the host through" isTarget />
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
        <SessionNote isTarget />
        {!mayInject && (
          <p class="wrong-text">
            This token may not inject packets. Sign in with a token that has the scope “inject”.
          </p>
        )}
        <Choice
          label="How often"
          value={repeat}
          options={REPEATS}
          onChange={(next) => compose.set({ repeat: next })}
        />
        {repeat !== "once" && (
          <div class="pair">
            <Field
              label="Packets"
              value={times}
              error={compose.error("count")}
              hint={repeat === "rate" ? "Leave empty to send until you choose Stop." : ""}
              onInput={(text) => compose.set({ count: text })}
            />
            {repeat === "rate" && (
              <Field
                label="Rate"
                unit="packets/s"
                value={rate}
                error={compose.error("rate")}
                onInput={(text) => compose.set({ rate: text })}
              />
            )}
          </div>
        )}
        {warnings.map((text) => (
          <p key={text} class="warning-box" role="status">
            {text}
          </p>
        ))}
        <div class="send" onClickCapture={(event) => dropSecond(event, running)}>
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
          {running && (
            <span>
              Sending to <Name of={chosen.name.value} />
            </span>
          )}
          <Button icon="table" kind="quiet" onClick={showAnswers(dashboard)}>
            Show in Packets
          </Button>
        </div>
        <Outcome />
      </form>
    </section>
  );
}

/**
 * Let the second click of a double click do nothing: it would stop what the first one began, or
 * send again. Who goes on clicking Stop is heard.
 */
function dropSecond(event: MouseEvent, running: boolean): void {
  if (running ? event.detail !== 2 : event.detail <= 1) return;
  event.preventDefault();
  event.stopPropagation();
}

/** Filter the live table to what goes between the two addresses. */
function showAnswers({ compose, table }: ReturnType<typeof useDashboard>) {
  return () => {
    const decoded = compose.decoded.value;
    if (decoded?.source && decoded.destination) {
      table.filter(`host ${decoded.source} and host ${decoded.destination}`);
    }
    table.follow(true);
    goTo("packets");
  };
}

function Outcome() {
  const { adapters, chosen, compose } = useDashboard();
  const { injector } = compose;
  const report = injector.report.value;
  const problem = injector.problem.value;
  const to = injector.destination.value;
  if (report === null) return <p class="outcome soft">No packets sent yet.</p>;
  if (to?.guid !== chosen.target.value) {
    return (
      <p class="outcome soft">
        No packets sent to <Name of={chosen.name.value} /> yet.
      </p>
    );
  }
  const rejected = Object.entries(report.rejected);
  const running = injector.running.value;
  const isCut = !running && isShort(report);
  const total = isCut ? report.wanted : report.sent;
  return (
    <div class="outcome" role="status">
      <p>
        <Direction way="injected" short /> {isCut && problem === null && "Stopped: "}
        <strong>{count(report.accepted)}</strong>{" "}
        {report.accepted === total
          ? report.accepted === 1
            ? "packet sent"
            : "packets sent"
          : `of ${count(total)} packets sent`}
        {report.seconds > 1 && ` in ${report.seconds.toFixed(1)} s, ${rateOf(report)}`}
        {running && " so far"}.
      </p>
      {report.ringFull > 0 && (
        <p class="wrong-text">{count(report.ringFull)} dropped: the send ring was full.</p>
      )}
      {rejected.map(([reason, number]) => (
        <p key={reason} class="wrong-text">
          {count(number)} rejected: {causeText(reason)}.
        </p>
      ))}
      {problem && (
        <p class="wrong-text" role="alert">
          {/* The hint is about an adapter that is there. */}
          {problem.detail} {adapters.find(to.guid) && problem.hint}
        </p>
      )}
      <AnswersLine />
    </div>
  );
}

function AnswersLine() {
  const { answers, service, table } = useDashboard();
  const found = answers.found.value;
  if (!service.can("capture")) {
    return <p class="soft">This token cannot see packets, so answers cannot be counted.</p>;
  }
  if (found === null) return null;
  if (found.count === 0) return <p class="soft">No answer yet.</p>;
  const show = () => {
    table.filter("");
    table.follow(false);
    table.select(found.row);
    goTo("packets");
  };
  return (
    <p>
      <Direction way="received" short /> <strong>{count(found.count)}</strong>{" "}
      {found.count === 1 ? "answer" : "answers"}
      {found.delay !== null &&
        `, ${found.count === 1 ? "" : "the last one "}after ${delayText(found.delay)}`}
      .{" "}
      <button type="button" class="text-button" onClick={show}>
        Show packet {table.numberOf(found.row)}
      </button>
    </p>
  );
}

function delayText(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(2) : Math.round(milliseconds)}\u00a0ms`;
}

function rateOf({ accepted, seconds }: { accepted: number; seconds: number }): string {
  return scaled(accepted / seconds, "packets/s");
}
