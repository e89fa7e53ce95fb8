/** A part of the page that is loaded when it is first shown, so that the page itself opens sooner. */

import { type Signal, signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import type { Dashboard } from "../../models/dashboard";
import { useDashboard } from "../context";
import { Button } from "./Button";

/**
 * Return a component that loads the real one when it is first shown, and says if that fails: the
 * service that has it may be away, so it is loaded when that is there again.
 */
export function later<Props extends object>(
  load: (dashboard: Dashboard) => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  const part: Signal<ComponentType<Props> | null> = signal(null);
  const failed = signal(false);
  let isAsked = false;
  const ask = (dashboard: Dashboard) => {
    if (isAsked) return;
    isAsked = true;
    failed.value = false;
    load(dashboard).then(
      (found) => {
        part.value = found;
      },
      () => {
        isAsked = false;
        failed.value = true;
      },
    );
  };
  return function Later(props: Props) {
    const Part = part.value;
    const dashboard = useDashboard();
    const isAway = dashboard.connection.isAway.value;
    useEffect(() => {
      if (part.peek() === null && !(isAway && failed.peek())) ask(dashboard);
    }, [dashboard, isAway]);
    if (Part !== null) return <Part {...props} />;
    if (!failed.value) return <p class="waiting">Loading…</p>;
    return (
      <div class="waiting" role="alert">
        {isAway ? (
          <p>This part of the page will be loaded when the service is there again.</p>
        ) : (
          <>
            <p>This part of the page could not be loaded. Try again, or reload the page.</p>
            <Button onClick={() => ask(dashboard)}>Try again</Button>
          </>
        )}
      </div>
    );
  };
}
