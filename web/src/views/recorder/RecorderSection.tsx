/** The recorder of a session: what it has, and its switch. */

import { useState } from "preact/hooks";
import type { Recorder, Session } from "../../api/types";
import { isRunning } from "../../models/sessions";
import { binary, count, duration } from "../../models/units";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { Facts } from "../ui/Facts";
import { RecorderDialog } from "./RecorderDialog";
import { SaveLast } from "./SaveLast";

export function RecorderSection({ session, name }: { session: Session; name: string }) {
  const { notices, service, sessions } = useDashboard();
  const [isOpen, setOpen] = useState(false);
  const recorder = session.recorder ?? null;
  const isAdmin = service.isAdmin.value;
  const isLive = isRunning(session);
  if (recorder === null && !isLive) return null;
  const off = () =>
    notices.attempt(
      `Could not switch off the recorder of ${name}`,
      () => sessions.forgetRecorded(session.id),
      ({ packets }) => `${name} is no longer recorded; ${count(packets)} packets were deleted.`,
    );
  return (
    <section class="recorder" aria-label="Recorder">
      <header>
        <h3>
          Recorder{" "}
          <span class={recorder && isLive ? "badge good" : "badge"}>{stateOf(session)}</span>
        </h3>
        {isAdmin && isLive && (
          <Button online icon={recorder ? undefined : "record"} onClick={() => setOpen(true)}>
            {recorder ? "Change…" : "Record…"}
          </Button>
        )}
      </header>
      {recorder === null ? (
        <p class="soft">
          The service keeps no packets of this session.{" "}
          {isAdmin
            ? "Record the last minutes, so that you can save them after something has happened."
            : "An administrator can have it record the last minutes."}
        </p>
      ) : (
        <>
          <Facts facts={factsOf(recorder)} />
          <div class="actions">
            {service.can("capture") && <SaveLast session={session} />}
            {isAdmin && (
              <Button online disabled={notices.busy.value !== ""} onClick={off}>
                Switch off
              </Button>
            )}
          </div>
        </>
      )}
      {isOpen && <RecorderDialog session={session} name={name} onClose={() => setOpen(false)} />}
    </section>
  );
}

function stateOf(session: Session): string {
  if (session.recorder == null) return "off";
  return isRunning(session) ? "on" : "ended";
}

function factsOf(recorder: Recorder) {
  const { oldest, newest, packets, used, bytes, seconds, displaced } = recorder;
  const span = oldest === null || newest === null ? 0 : Date.parse(newest) - Date.parse(oldest);
  const full =
    displaced > 0 ? `; ${count(displaced)} older packets were dropped for lack of room` : "";
  return [
    ["Holds", `${count(packets)} packets, ${duration(span / 1000)}`],
    ["Memory", `${binary(used)} of ${binary(bytes)}${full}`],
    ["Keeps", `the last ${duration(seconds)}`],
  ] as const;
}
