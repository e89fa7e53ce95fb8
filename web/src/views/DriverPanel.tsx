/** What is behind the service, which hardly ever changes: driver, version, rights. */

import { duration } from "../models/units";
import { useDashboard } from "./context";
import { Facts } from "./ui/Facts";
import { Icon } from "./ui/Icon";

/** Why the driver cannot work, and what to do; nothing where it works. */
export function UnavailableDriver() {
  const { service } = useDashboard();
  const unavailable = service.system.value?.unavailable ?? null;
  if (unavailable === null) return null;
  return (
    <div class="unavailable" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{unavailable.message}</strong>
        <p>{unavailable.hint}</p>
      </div>
      <span class="badge bad">{unavailable.reason.replaceAll("_", " ")}</span>
    </div>
  );
}

export function DriverPanel() {
  const { service } = useDashboard();
  const system = service.system.value;
  const driver = service.driver.value;
  if (system === null) return null;
  const started = new Date(system.started_at);
  return (
    <section class="panel driver" aria-label="Driver">
      <Facts
        wide
        facts={[
          ["Driver", driver ? `${driver.name}, ${driver.generation} generation` : system.driver],
          ["Driver version", driver?.running_version ?? "Not loaded yet"],
          ["Rights", system.elevated ? "Elevated" : <span class="badge warn">Not elevated</span>],
          ["Service", `wintun-api ${system.version}`],
          ["Running for", <span title={started.toLocaleString()}>{uptime(started)}</span>],
          ["System", `${system.platform.replace(/-with-.*/, "")}`],
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
