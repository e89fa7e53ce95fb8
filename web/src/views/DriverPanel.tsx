/** What is behind the service: driver, version, rights; and why it cannot work, where it cannot. */

import { duration } from "../models/units";
import { useDashboard } from "./context";
import { Facts } from "./ui/Facts";
import { Icon } from "./ui/Icon";

export function DriverPanel() {
  const { service } = useDashboard();
  const system = service.system.value;
  const driver = service.driver.value;
  if (system === null) return null;
  const { unavailable } = system;
  const started = new Date(system.started_at);
  return (
    <section class="panel driver" aria-label="Driver">
      {unavailable && (
        <div class="unavailable" role="alert">
          <Icon name="warning" />
          <div>
            <strong>{unavailable.message}</strong>
            <p>{unavailable.hint}</p>
          </div>
          <span class="badge bad">{unavailable.reason.replaceAll("_", " ")}</span>
        </div>
      )}
      <Facts
        wide
        facts={[
          ["Driver", driver ? `${driver.name}, ${driver.generation}` : system.driver],
          ["Running version", driver?.running_version ?? "not loaded"],
          ["Rights", system.elevated ? "elevated" : <span class="badge warn">not elevated</span>],
          ["Service", `wintun-api ${system.version}`],
          ["Running for", <span title={started.toLocaleString()}>{uptime(started)}</span>],
          ["Machine", `${system.platform.replace(/-with-.*/, "")}`],
          ...(driver?.library_path
            ? ([
                [
                  "Library",
                  <span class="mono cut" title={`SHA-256 ${driver.library_sha256 ?? "unknown"}`}>
                    {driver.library_path}
                  </span>,
                ],
              ] as const)
            : []),
        ]}
      />
    </section>
  );
}

function uptime(started: Date): string {
  return duration((Date.now() - started.getTime()) / 1000);
}
