/** Whether the window is such that a part of the page has another form. */

import { useEffect, useState } from "preact/hooks";

/** Return whether a media query holds, and draw again when that changes. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const change = (): void => setHolds(list.matches);
    change();
    list.addEventListener("change", change);
    return () => list.removeEventListener("change", change);
  }, [query]);
  return holds;
}

/** A small screen, or a page at 200 %: table and details are seen in turn. */
export const COMPACT = "(max-width: 720px), (max-height: 560px)";
