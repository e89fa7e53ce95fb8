/** What was done or failed, over the lower edge so that nothing moves. */

import { useEffect, useState } from "preact/hooks";
import { useDashboard } from "./context";
import { Button } from "./ui/Button";
import { openDialogs } from "./ui/Dialog";
import { ProblemText } from "./ui/ProblemText";

/** Milliseconds that good and bad news stay, unless the pointer or the focus is on them. */
const SHOWN = 6000;
const SHOWN_FAILED = 20_000;

export function NoticeBox() {
  const { notices } = useDashboard();
  const notice = notices.current.value;
  const [isHeld, hold] = useState(false);
  // Below the veil of a dialog nothing can be read or closed: old news goes, new news waits.
  const isVeiled = openDialogs.value > 0;
  useEffect(() => {
    if (isVeiled) notices.dismiss();
  }, [isVeiled, notices]);
  useEffect(() => {
    if (notice === null || isHeld || isVeiled) return;
    const timer = setTimeout(() => notices.dismiss(), notice.failed ? SHOWN_FAILED : SHOWN);
    return () => clearTimeout(timer);
  }, [notice, notices, isHeld, isVeiled]);
  return (
    <div class="notices" aria-live="polite">
      {notice && !isVeiled && (
        <div
          class={notice.failed ? "notice failed" : "notice"}
          onPointerEnter={() => hold(true)}
          onPointerLeave={() => hold(false)}
          onFocusIn={() => hold(true)}
          onFocusOut={() => hold(false)}
        >
          <div>
            <p>{notice.text}</p>
            {notice.problem && <ProblemText problem={{ ...notice.problem, detail: "" }} />}
          </div>
          <Button
            icon="close"
            label="Close this message"
            kind="quiet"
            onClick={() => notices.dismiss()}
          />
        </div>
      )}
    </div>
  );
}
