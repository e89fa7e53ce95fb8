/** Which session's packets are shown, in the bar as it holds for three of the views. */

import { useDashboard } from "./context";

export function SessionPicker() {
  const { adapters, sessions, capture, chosen: adapter } = useDashboard();
  const chosen = capture.session.value;
  const running = sessions.running.value;
  const over = running.some((one) => one.id === chosen) ? undefined : sessions.find(chosen);
  return (
    <select
      class="picker"
      aria-label="Session"
      value={chosen ?? ""}
      disabled={running.length === 0}
      onChange={(event) => {
        const guid = sessions.find(event.currentTarget.value)?.adapter ?? "";
        const found = adapters.find(guid);
        if (found !== undefined) adapter.choose(found);
      }}
    >
      {chosen === null && <option value="">No session runs</option>}
      {over && (
        <option value={over.id}>
          {adapters.find(over.adapter)?.name ?? "Adapter gone"} (ended)
        </option>
      )}
      {running.map((session) => (
        <option key={session.id} value={session.id}>
          {session.impairment != null && "⚠ "}
          {adapters.find(session.adapter)?.name ?? session.id}
          {session.impairment != null && " (impaired)"}
        </option>
      ))}
    </select>
  );
}
