/** Marks of an adapter whose network is bad on request, so that it is not forgotten. */

import { plainName } from "../models/visible";
import { goTo } from "./address";
import { useDashboard } from "./context";
import { Icon } from "./ui/Icon";
import { Name } from "./ui/Name";

/** A badge beside an adapter's name; nothing where it is not impaired. */
export function ImpairedBadge({ guid }: { guid: string }) {
  const summary = useDashboard().sessions.impairmentOf(guid);
  if (summary === null) return null;
  return (
    <span class="badge warn impaired" title={summary}>
      <Icon name="warning" />
      impaired<span class="unseen">: {summary}</span>
    </span>
  );
}

/** A line below the bar of every view, and the page's title. */
export function ImpairedLine() {
  const { adapters, sessions } = useDashboard();
  const impaired = sessions.impaired.value.map(({ adapter, impairment }) => ({
    guid: adapter,
    name: adapters.find(adapter)?.name ?? adapter,
    summary: impairment,
  }));
  const names = impaired.map(({ name }) => plainName(name)).join(", ");
  const show = (guid: string) => () => {
    adapters.select(guid);
    goTo("overview");
  };
  // The names alone are announced: a ramp of a scenario changes its summary ten times a second.
  return (
    <>
      <p class="unseen" role="status">
        {names && `Impaired: ${names}`}
      </p>
      {names && (
        <section class="impaired-line" aria-label="Impaired adapters">
          <Icon name="warning" />
          <ul>
            {impaired.map(({ guid, name, summary }) => (
              <li key={guid}>
                <button type="button" class="text-button" onClick={show(guid)}>
                  <Name of={name} />
                </button>{" "}
                is impaired{summary && ": "}
                <span class="mono" title={summary ?? ""}>
                  {summary}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
