/** The driver, the adapters, and all about the selected one. */

import { AdapterDetail } from "./AdapterDetail";
import { AdapterDialog } from "./AdapterDialog";
import { AdapterTable } from "./AdapterTable";
import { useDashboard } from "./context";
import { DeleteDialog } from "./DeleteDialog";
import { DriverPanel } from "./DriverPanel";
import { OpenDialog } from "./OpenDialog";
import { StartDialog } from "./StartDialog";
import { Button } from "./ui/Button";

export function OverviewView() {
  const { adapters, dialogs, service } = useDashboard();
  const available = service.system.value?.unavailable === null;
  const gone = adapters.gone.value;
  return (
    <div class="overview">
      <h1 class="unseen">Overview</h1>
      <DriverPanel />
      <div class="adapters">
        <section class="panel" aria-labelledby="adapters-title">
          <header class="panel-head">
            <h2 id="adapters-title">Adapters</h2>
            <span class="count">{adapters.list.value.length}</span>
            <span class="grow" />
            {service.isAdmin.value && (
              <>
                <Button
                  icon="open"
                  disabled={!available}
                  onClick={() => dialogs.open({ name: "open" })}
                >
                  Open…
                </Button>
                <Button
                  icon="plus"
                  kind="primary"
                  disabled={!available}
                  onClick={() => dialogs.open({ name: "create" })}
                >
                  New adapter
                </Button>
              </>
            )}
          </header>
          <AdapterTable />
        </section>
        <aside class="panel" aria-label="Selected adapter">
          {adapters.selected.value ? (
            <AdapterDetail adapter={adapters.selected.value} />
          ) : (
            <p class="empty">
              {gone === null
                ? "Select an adapter to see its settings and its session."
                : `Adapter ${gone.name} was deleted.`}
            </p>
          )}
        </aside>
      </div>
      <OpenedDialogView />
    </div>
  );
}

function OpenedDialogView() {
  const { adapters, dialogs } = useDashboard();
  const opened = dialogs.opened.value;
  const close = () => dialogs.close();
  if (opened === null) return null;
  if (opened.name === "create") return <AdapterDialog adapter={null} onClose={close} />;
  if (opened.name === "open") return <OpenDialog onClose={close} />;
  const adapter = adapters.find(opened.guid);
  // It went while the dialog was open.
  if (adapter === undefined) return null;
  if (opened.name === "edit") return <AdapterDialog adapter={adapter} onClose={close} />;
  if (opened.name === "delete") return <DeleteDialog adapter={adapter} onClose={close} />;
  return <StartDialog adapter={adapter} onClose={close} />;
}
