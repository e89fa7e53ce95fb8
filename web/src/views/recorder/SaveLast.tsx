/** Save what was recorded in the last minute. */

import type { Session } from "../../api/types";
import { scaled } from "../../models/units";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { nameOf, save } from "../ui/save";

const LAST = 60; // seconds

/** Return what saves the last minute of a session. */
export function useSavingLast(): (session: Session) => void {
  const { adapters, notices, sessions } = useDashboard();
  return (session) => {
    const name = adapters.find(session.adapter)?.name ?? session.id;
    void notices.attempt(
      `Could not save the last minute of ${name}`,
      async () => {
        const file = await sessions.recorded(session.id, LAST);
        save(file, nameOf(`${name}-last-minute`));
        return file.size;
      },
      (size) => `The last minute of ${name} was saved: ${scaled(size, "B")}.`,
    );
  };
}

export function SaveLast({ session }: { session: Session }) {
  const { notices } = useDashboard();
  const saveLast = useSavingLast();
  return (
    <Button
      icon="history"
      online
      label="Save the last minute"
      disabled={notices.busy.value !== ""}
      onClick={() => saveLast(session)}
    >
      Save the last minute
    </Button>
  );
}
