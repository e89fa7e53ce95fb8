/** Save what was recorded in the last minute. */

import type { Session } from "../../api/types";
import { scaled } from "../../models/units";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { nameOf, save } from "../ui/save";

const LAST = 60; // seconds

export function SaveLast({ session }: { session: Session }) {
  const { adapters, notices, sessions } = useDashboard();
  const name = adapters.find(session.adapter)?.name ?? session.id;
  const run = () =>
    notices.attempt(
      `Could not save the last minute of ${name}`,
      async () => {
        const file = await sessions.recorded(session.id, LAST);
        save(file, nameOf(`${name}-last-minute`));
        return file.size;
      },
      (size) => `The last minute of ${name} was saved: ${scaled(size, "B")}.`,
    );
  return (
    <Button
      icon="history"
      online
      label="Save the last minute"
      disabled={notices.busy.value !== ""}
      onClick={run}
    >
      Save the last minute
    </Button>
  );
}
