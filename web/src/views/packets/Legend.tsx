/** What colours, signs, arrows and keys of this view mean. */

import type { RefObject } from "preact";
import { TINTS } from "../../models/packet-tint";
import { Direction, WAYS } from "../ui/Direction";
import { Icon } from "../ui/Icon";
import { useClosing } from "./closing";

const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["/", "Go to the filter"],
  ["↑ ↓ PgUp PgDn", "Move in the table; with Shift, select several"],
  ["Enter", "Go to the details; Esc comes back"],
  ["Ctrl F", "Find; F3 and Shift F3 find the next and the previous"],
  ["Ctrl G", "Go to a packet by its number"],
  ["M", "Mark or unmark"],
  ["Ctrl A, Ctrl C", "Select all shown packets, copy as text"],
  ["Shift F10", "Filter by a field, add it as a column, copy it"],
  ["Space", "Pause and resume"],
];

export function Legend({ panel }: { panel: RefObject<HTMLDetailsElement | null> }) {
  useClosing(panel);
  return (
    <details class="popup" ref={panel}>
      <summary class="button" title="What the arrows, colours and keys mean">
        <Icon name="help" />
        <span>Legend</span>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
      <div class="panel explained" tabIndex={0}>
        <section aria-label="Direction">
          <h2>Direction</h2>
          <dl>
            {(["received", "injected"] as const).map((way) => (
              <div key={way}>
                <dt>
                  <Direction way={way} />
                </dt>
                <dd>{WAYS[way].about}</dd>
              </div>
            ))}
          </dl>
        </section>
        <section aria-label="Colours and signs">
          <h2>Colours and signs</h2>
          <ul class="lines">
            {TINTS.map(({ id, sign, label }) => (
              <li key={id} class={`tint-${id}`}>
                <b aria-hidden="true">{sign}</b> {label}
              </li>
            ))}
            <li>
              <b aria-hidden="true">★</b> Marked by you
            </li>
          </ul>
        </section>
        <section aria-label="Keys">
          <h2>Keys</h2>
          <dl>
            {KEYS.map(([keys, does]) => (
              <div key={keys}>
                <dt>
                  <kbd>{keys}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </details>
  );
}
