/** The adapters, all about the selected one, and at the end the driver behind them. */

import { AdapterDetail } from "./AdapterDetail";
import { AdapterDialog } from "./AdapterDialog";
import { AdapterTable } from "./AdapterTable";
import { useDashboard } from "./context";
import { DeleteDialog } from "./DeleteDialog";
import { DriverPanel, UnavailableDriver } from "./DriverPanel";
import { OpenDialog } from "./OpenDialog";
import { StartDialog } from "./StartDialog";
import { Button } from "./ui/Button";
import { DirectionLegend } from "./ui/Direction";
import { Name } from "./ui/Name";

export function OverviewView() {
  const { adapters, connection, dialogs, list, service } = useDashboard();
  const available = service.system.value?.unavailable === null;
  return (
    <div class="overview">
      <h1 class="unseen">Overview</h1>
      <UnavailableDriver />
      {connection.isAway.value && (
        <p class="warning-box" role="status">
          The page is not connected to the service, so nothing can be changed. It shows what the
          service said last.
        </p>
      )}
      <div class="adapters">
        <section class="panel" aria-labelledby="adapters-title">
          <header class="panel-head">
            <h2 id="adapters-title">Adapters</h2>
            <span class="count">
              {list.search.value.trim() !== "" && `${list.shown.value.length} of `}
              {adapters.list.value.length}
            </span>
            {list.isLong.value && (
              <input
                type="search"
                aria-label="Find adapters"
                placeholder="Name, address or GUID"
                value={list.search.value}
                onInput={(event) => {
                  list.search.value = event.currentTarget.value;
                }}
              />
            )}
            <span class="grow" />
            <DirectionLegend />
            {service.isAdmin.value && (
              <>
                <Button
                  icon="open"
                  online
                  disabled={!available}
                  onClick={() => dialogs.open({ name: "open" })}
                >
                  Open…
                </Button>
                <Button
                  icon="plus"
                  online
                  kind="primary"
                  disabled={!available}
                  onClick={() => dialogs.open({ name: "create" })}
                >
                  New adapter…
                </Button>
              </>
            )}
          </header>
          <AdapterTable />
        </section>
        <Selected />
      </div>
      <DriverPanel />
      <OpenedDialogView />
    </div>
  );
}

function Selected() {
  const { adapters, connection } = useDashboard();
  const adapter = adapters.selected.value;
  const gone = adapters.gone.value;
  const asked = adapters.asked.value;
  // Without any adapter the list has said all there is.
  if (adapter === undefined && adapters.list.value.length === 0 && gone === null && asked === "")
    return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it
    <aside class="panel" id="adapter-detail" aria-label="Selected adapter" tabIndex={0}>
      {adapter ? (
        <AdapterDetail adapter={adapter} />
      ) : (
        <p class="empty">
          {gone !== null ? (
            <>
              Adapter <Name of={gone.name} /> was deleted. Select another one in the list.
            </>
          ) : asked !== "" && connection.state.value.name === "live" ? (
            <>
              No adapter is called <Name of={asked} />. Select one in the list.
            </>
          ) : (
            "Select an adapter to see its settings and its session."
          )}
        </p>
      )}
    </aside>
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
