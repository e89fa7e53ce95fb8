/** Where the axes of a chart have their lines, and what stands beside these. */

/** Steps of a time axis in seconds. */
const TIME_STEPS = [10, 15, 30, 60, 120, 300, 600, 900, 1800];

/** Return round values from 0 to at least `most`, about `count` of them. */
export function valueTicks(most: number, count = 3): number[] {
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let each = 0; ; each++) {
    ticks.push(each * step);
    if (each * step >= most) return ticks;
  }
}

/**
 * Return round times in a range of seconds since 1970, no more than there is room for; whole minutes
 * where the range is longer than one, since their labels have no seconds.
 */
export function timeTicks(from: number, to: number, room: number): number[] {
  const least = to - from > 60 ? 60 : 0;
  const step = TIME_STEPS.find((one) => one >= least && (to - from) / one <= room) ?? 3600;
  const ticks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  return ticks;
}
