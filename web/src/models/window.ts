/** Which rows of a long table are on screen. Pure numbers. */

export interface VisibleRange {
  /** Index of the first row to draw. */
  readonly first: number;
  /** Rows to draw. */
  readonly count: number;
  /** Where the first row stands, in pixels from the top of the content. */
  readonly top: number;
  /** Height of the whole content in pixels. */
  readonly height: number;
}

/** Return the rows that a viewport shows, with those that are only partly seen. */
export function visibleRange(
  scrollTop: number,
  viewport: number,
  rowHeight: number,
  total: number,
): VisibleRange {
  const fitting = Math.ceil(viewport / rowHeight) + 1;
  const last = Math.max(0, total - 1);
  const first = Math.min(Math.max(0, Math.floor(scrollTop / rowHeight)), last);
  return {
    first,
    count: Math.min(fitting, total - first),
    top: first * rowHeight,
    height: total * rowHeight,
  };
}

/** Return the scroll position that shows a row, the nearest to where it is now. */
export function scrollToShow(
  index: number,
  scrollTop: number,
  viewport: number,
  rowHeight: number,
): number {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + viewport) return Math.max(0, top + rowHeight - viewport);
  return scrollTop;
}
