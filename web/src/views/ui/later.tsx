/** A part of the page that is loaded when it is first shown, so that the page itself opens sooner. */

import { type Signal, signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import type { Dashboard } from "../../models/dashboard";
import { useDashboard } from "../context";
import { Button } from "./Button";

/** Return a component that loads the real one when it is first shown, and says if that fails. */
export function later<Props extends object>(
  load: (dashboard: Dashboard) => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  const part: Signal<ComponentType<Props> | null> = signal(null);
  const failed = signal(false);
  const ask = (dashboard: Dashboard) => {
    failed.value = false;
    load(dashboard).then(
      (found) => {
        part.value = found;
      },
      () => {
        failed.value = true;
      },
    );
  };
  return function Later(props: Props) {
    const Part = part.value;
    const dashboard = useDashboard();
    useEffect(() => {
      if (part.peek() === null) ask(dashboard);
    }, [dashboard]);
    if (Part !== null) return <Part {...props} />;
    if (!failed.value) return <p class="waiting">Loading…</p>;
    return (
      <div class="waiting" role="alert">
        <p>This part of the page could not be loaded. Try again, or reload the page.</p>
        <Button onClick={() => ask(dashboard)}>Try again</Button>
      </div>
    );
  };
}
