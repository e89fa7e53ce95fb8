/** Looks at rows through a filter, the newest first, each once, and never at one that went. */

/** Rows from `start` to `end` that were not looked at yet. */
interface Span {
  start: number;
  end: number;
}

/** Rows looked at between two looks at the clock. */
const SLICE = 128;

export class Scan {
  /** In order. What comes while older rows still wait makes one more. */
  private readonly spans: Span[] = [];
  private next: number;

  /** Begin with the rows from `first` on that are there already. */
  constructor(
    first: number,
    private readonly test: (row: number) => boolean,
  ) {
    this.next = first;
  }

  /** Take the rows before `end` into account, and forget those before `first`. */
  extend(first: number, end: number): void {
    const { spans } = this;
    const last = spans.at(-1);
    if (end > this.next) {
      if (last?.end === this.next) last.end = end;
      else spans.push({ start: this.next, end });
      this.next = end;
    }
    while (spans[0] !== undefined && spans[0].end <= first) spans.shift();
    if (spans[0] !== undefined) spans[0].start = Math.max(spans[0].start, first);
  }

  /** Rows that were not looked at yet. */
  get pending(): number {
    return this.spans.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Look at rows until `expired` says stop; return those that pass, each part in order. */
  run(expired: () => boolean): Float64Array[] {
    const found: Float64Array[] = [];
    for (let span = this.spans.at(-1); span !== undefined; span = this.spans.at(-1)) {
      const from = Math.max(span.start, span.end - SLICE);
      const rows: number[] = [];
      for (let row = from; row < span.end; row++) if (this.test(row)) rows.push(row);
      span.end = from;
      if (from === span.start) this.spans.pop();
      if (rows.length > 0) found.push(Float64Array.from(rows));
      if (expired()) break;
    }
    return found;
  }
}
