/** Stacked areas over time, drawn as SVG, so that colours follow the theme by themselves. */

import { type Signal, useSignal } from "@preact/signals";
import { area, line, stack } from "d3-shape";
import { useEffect, useRef } from "preact/hooks";
import { timeTicks, valueTicks } from "../../models/axis";
import type { Bins, Mark } from "../../models/traffic";
import { clock, scaled } from "../../models/units";

/** One part of the stack; the first is at the bottom. */
export interface Layer {
  readonly key: string;
  readonly label: string;
  /** The class that has its colour. */
  readonly color: string;
  /** One for each point; null is not known. */
  readonly values: readonly (number | null)[];
}

interface Props {
  readonly title: string;
  readonly unit: string;
  readonly layers: readonly Layer[];
  readonly bins: Bins;
  readonly range: number;
  readonly marks: readonly Mark[];
  readonly hovered: Signal<number | null>;
}

const HEIGHT = 176;
const [TOP, RIGHT, BOTTOM, LEFT] = [10, 12, 22, 66];
/** The least top of the vertical axis. */
const LEAST = 10;
/** Points that may not be known yet, and are now all the same. */
const LATE = 3;
/** The room that the label of a time needs. */
const LABEL = 70;

export function Chart({ title, unit, layers, bins, range, marks, hovered }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const resized = new ResizeObserver(() => {
      width.value = element.clientWidth;
    });
    resized.observe(element);
    return () => resized.disconnect();
  }, [width]);

  const at = bins.ends.indexOf(hovered.value ?? -1);
  const index = at >= 0 ? at : lastKnown(layers);
  const shown = layers.map(({ values }) => scaled(values[index] ?? 0, unit));
  const said = layers.map(({ label }, each) => `${label} ${shown[each]}`).join(", ");
  return (
    <figure class="panel chart">
      <figcaption>
        <h2>{title}</h2>
        <span class="soft">{caption(bins, index, at < 0)}</span>
        <ul>
          {layers.map(({ key, label, color }, each) => (
            <li key={key}>
              <span class={`key ${color}`} aria-hidden="true" />
              <span>{label}</span>
              <b>{shown[each]}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${title}: ${said}`}>
        {width.value > LEFT + RIGHT && (
          <Plot
            {...{ unit, layers, bins, range, marks, hovered }}
            width={width.value}
            at={at >= 0 ? at : null}
          />
        )}
      </div>
    </figure>
  );
}

function Plot({
  unit,
  layers,
  bins,
  range,
  marks,
  hovered,
  width,
  at,
}: Omit<Props, "title"> & { width: number; at: number | null }) {
  const { ends } = bins;
  const last = ends.at(-1) ?? 0;
  const first = last - range;
  const right = width - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const known = ends.map((_, index) => layers.some(({ values }) => values[index] !== null));
  const rows = ends.map((_, index) => layers.map(({ values }) => values[index] ?? 0));
  const series = stack<number[], number>()
    .keys(layers.map((_, each) => each))
    .value((row, each) => row[each] ?? 0)(rows);
  const most = Math.max(LEAST, ...rows.map((row) => row.reduce((sum, one) => sum + one, 0)));
  const ticks = valueTicks(most);
  const top = ticks.at(-1) ?? most;
  const x = (time: number) => LEFT + ((time - first) / range) * (right - LEFT);
  const y = (value: number) => bottom - (value / top) * (bottom - TOP);
  const isDefined = (_: unknown, index: number) => known[index] === true;
  const areaOf = area<[number, number]>()
    .defined(isDefined)
    .x((_, index) => x(ends[index] ?? 0))
    .y0(([low]) => y(low))
    .y1(([, high]) => y(high));
  // A part that is 0 would draw its line over that of the part below it.
  const lineOf = line<[number, number]>()
    .defined(([low, high], index) => high > low && isDefined(low, index))
    .x((_, index) => x(ends[index] ?? 0))
    .y(([, high]) => y(high));
  const hover = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const time = first + ((event.clientX - box.left - LEFT) / (right - LEFT)) * range;
    const index = Math.round((time - (ends[0] ?? 0)) / bins.width);
    hovered.value = ends[Math.max(0, Math.min(ends.length - 1, index))] ?? null;
  };
  return (
    <svg
      width={width}
      height={HEIGHT}
      aria-hidden="true"
      onPointerMove={hover}
      onPointerLeave={() => {
        hovered.value = null;
      }}
    >
      {ticks.map((tick) => (
        <g key={tick}>
          <line class="rule" x1={LEFT} x2={right} y1={y(tick)} y2={y(tick)} />
          <text x={LEFT - 8} y={y(tick)} dy="0.32em" text-anchor="end">
            {scaled(tick, unit)}
          </text>
        </g>
      ))}
      {timeTicks(first, last, (right - LEFT) / LABEL)
        .filter((tick) => x(tick) + LABEL / 3 < width)
        .map((tick) => (
          <text key={tick} x={x(tick)} y={HEIGHT - 6} text-anchor="middle">
            {timeLabel(tick, range)}
          </text>
        ))}
      {layers.map(({ key, color }, each) => {
        const points = (series[each] ?? []) as unknown as [number, number][];
        return (
          <g key={key} class={color}>
            <path class="area" d={areaOf(points) ?? ""} />
            <path class="edge" d={lineOf(points) ?? ""} />
          </g>
        );
      })}
      {marks.map(({ key, time, text }) => (
        <g key={key} class="mark">
          <title>{text}</title>
          <line x1={x(time)} x2={x(time)} y1={TOP} y2={bottom} />
          <path d={`M${x(time) - 4},${TOP - 6}h8l-4,6z`} />
        </g>
      ))}
      {at !== null && (
        <line class="cursor" x1={x(ends[at] ?? 0)} x2={x(ends[at] ?? 0)} y1={TOP} y2={bottom} />
      )}
    </svg>
  );
}

function caption({ ends, width }: Bins, at: number, isNewest: boolean): string {
  const isNow = isNewest && at >= ends.length - 1 - LATE;
  const time = isNow ? "now" : clock(new Date((ends[at] ?? 0) * 1000)).slice(0, 8);
  return width === 1 ? time : `${time}, averages of ${width} s`;
}

function lastKnown(layers: readonly Layer[]): number {
  const [first] = layers;
  return first === undefined ? -1 : first.values.findLastIndex((one) => one !== null);
}

function timeLabel(time: number, range: number): string {
  return clock(new Date(time * 1000)).slice(0, range <= 60 ? 8 : 5);
}
