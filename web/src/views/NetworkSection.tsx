/** The network of a session: what is done to its packets, and the panel that changes it. */

import type { Session } from "../api/types";
import { useDashboard } from "./context";
import { Button } from "./ui/Button";
import { later } from "./ui/later";

const ImpairmentPanel = later(
  async () => (await import("./impairment/ImpairmentPanel")).ImpairmentPanel,
);

export function NetworkSection({ session, name }: { session: Session; name: string }) {
  const { dialogs, service } = useDashboard();
  const open = dialogs.network.value;
  const toggle = () => {
    dialogs.network.value = !open;
  };
  const summary = session.impairment ?? null;
  const word = service.isAdmin.value ? "Impair…" : "Show…";
  return (
    <section class="network" aria-label="Network">
      <header>
        <h3>Network</h3>
        <Button icon="sliders" expanded={open} onClick={toggle}>
          {open ? "Close" : word}
        </Button>
      </header>
      {summary === null ? (
        <p class="soft">Packets pass unchanged.</p>
      ) : (
        <p class="warning-box">
          Impaired{summary && ": "}
          <span class="mono">{summary}</span>
        </p>
      )}
      {open && <ImpairmentPanel key={session.id} session={session.id} name={name} />}
    </section>
  );
}
