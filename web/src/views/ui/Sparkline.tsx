/** The last minute of a session: packets per second of both directions, as small as a word. */

import { type Rates, SAMPLES } from "../../models/rates";

const WIDTH = 96;
const HEIGHT = 20;

export function Sparkline({ rates, wide = false }: { rates: Rates; wide?: boolean }) {
  void rates.version.value;
  const top = Math.max(1, ...rates.received, ...rates.injected);
  return (
    <svg
      class={wide ? "sparkline wide" : "sparkline"}
      preserveAspectRatio="none"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Packets per second over the last minute, at most ${Math.round(top)}`}
    >
      <path class="baseline" d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      {rates.received.length > 1 && (
        <>
          <path class="received area" d={area(rates.received, top)} />
          <path class="received" d={path(rates.received, top)} />
          <path class="injected" d={path(rates.injected, top)} />
        </>
      )}
    </svg>
  );
}

function startOf(samples: readonly number[]): number {
  return WIDTH - ((samples.length - 1) * WIDTH) / (SAMPLES - 1);
}

function area(samples: readonly number[], top: number): string {
  return `${path(samples, top)}V${HEIGHT}H${startOf(samples).toFixed(1)}z`;
}

/** Draw samples from the right edge, the newest there. */
function path(samples: readonly number[], top: number): string {
  const step = WIDTH / (SAMPLES - 1);
  const start = startOf(samples);
  const points = samples.map((value, index) => {
    const x = (start + index * step).toFixed(1);
    return `${x} ${(HEIGHT - 1 - (value / top) * (HEIGHT - 2)).toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}
