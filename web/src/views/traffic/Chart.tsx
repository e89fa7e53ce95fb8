/** Lines over the last minutes; every chart of the view shares the time axis and the cursor. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { SECONDS, type SeriesName } from "../../models/traffic";
import { scaled } from "../../models/units";
import { useDashboard } from "../context";

export interface Line {
  readonly name: SeriesName;
  readonly label: string;
  /** The custom property that has its colour. */
  readonly color: string;
}

interface Props {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  /** Samples are multiplied by it: 8 makes bits of bytes. */
  readonly factor?: number;
}

const HEIGHT = 168;
const AXIS = 68;
/** The least top of the vertical axis, so that silence is a flat line. */
const LEAST = 10;

export function Chart({ title, unit, lines, factor = 1 }: Props) {
  const { traffic } = useDashboard();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const hovered = useSignal<number | null>(null);

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(
      options(unit, lines, element.clientWidth, (index) => {
        hovered.value = index;
      }),
      [[]],
      element,
    );
    chart.current = made;
    const resized = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    resized.observe(element);
    const themed = new MutationObserver(() => made.redraw(false));
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      resized.disconnect();
      themed.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [unit, lines, hovered]);
  useSignalEffect(() => {
    traffic.version.value;
    const values = lines.map(({ name }) => traffic.series[name].map((v) => v && v * factor));
    chart.current?.setData([traffic.times, ...values]);
  });

  traffic.version.value;
  const at = hovered.value ?? traffic.times.length - 1;
  const shown = lines.map(({ name }) => scaled((traffic.series[name][at] ?? 0) * factor, unit));
  const said = lines.map(({ label }, index) => `${label} ${shown[index]}`).join(", ");
  return (
    <figure class="panel chart">
      <figcaption>
        <h2>{title}</h2>
        <ul>
          {lines.map(({ name, label, color }, index) => (
            <li key={name}>
              <span class={`key ${color.slice(2)}`} aria-hidden="true" />
              {label} <b>{shown[index]}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${title}: ${said}`} />
    </figure>
  );
}

function options(
  unit: string,
  lines: readonly Line[],
  width: number,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const grid = { stroke: color("--line"), width: 1 };
  const axis = {
    stroke: color("--ink-soft"),
    grid,
    ticks: { show: false },
    font: "11px system-ui",
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "traffic" }, drag: { x: false, y: false }, y: false },
    scales: {
      x: { range: (u) => [lastTime(u) - SECONDS, lastTime(u)] },
      y: { range: (_, __, most) => [0, Math.max(LEAST, most * 1.1)] },
    },
    axes: [
      { ...axis, size: 24, values: "{HH}:{mm}:{ss}", space: 80 },
      { ...axis, size: AXIS, space: 28, values: (_, ticks) => ticks.map((v) => scaled(v, unit)) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: 1.5,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(u) => onCursor(u.cursor.idx ?? null)] },
  };
}

function lastTime(u: uPlot): number {
  return u.data[0].at(-1) ?? Date.now() / 1000;
}

/** A colour that is looked up at each drawing, so that it follows the theme. */
function color(property: string): () => string {
  return () => getComputedStyle(document.documentElement).getPropertyValue(property);
}
