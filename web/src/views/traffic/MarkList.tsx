/** What happened in the time that the charts show; each has a line in them. */

import type { Signal } from "@preact/signals";
import { clock } from "../../models/units";
import { hrefOf } from "../address";
import { useDashboard } from "../context";

const SHOWN = 8;

interface Props {
  readonly range: number;
  readonly adapter: string | null;
  readonly hovered: Signal<number | null>;
}

export function MarkList({ range, adapter, hovered }: Props) {
  const { traffic } = useDashboard();
  traffic.version.value;
  const marks = traffic.marksOf(range, adapter).toReversed();
  if (marks.length === 0) return null;
  const { ends, width } = traffic.bins(range);
  return (
    <section class="panel marks" aria-labelledby="marks-title">
      <header class="panel-head">
        <h2 id="marks-title">What happened</h2>
        <span class="grow" />
        <a href={hrefOf("events")}>All events</a>
      </header>
      <ul>
        {marks.slice(0, SHOWN).map(({ key, time, text }) => (
          <li
            key={key}
            onPointerEnter={() => {
              hovered.value = ends.find((end) => end >= time && end < time + width) ?? null;
            }}
            onPointerLeave={() => {
              hovered.value = null;
            }}
          >
            <span class="time">{clock(new Date(time * 1000)).slice(0, 8)}</span> <bdi>{text}</bdi>
          </li>
        ))}
      </ul>
      {marks.length > SHOWN && (
        <p class="soft">{marks.length - SHOWN} earlier ones are in Events.</p>
      )}
    </section>
  );
}
