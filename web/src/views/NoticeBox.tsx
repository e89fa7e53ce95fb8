/** What was done or failed, over the lower edge so that nothing moves. */

import { useEffect } from "preact/hooks";
import { useDashboard } from "./context";
import { Button } from "./ui/Button";
import { ProblemText } from "./ui/ProblemText";

const SHOWN = 6000;

export function NoticeBox() {
  const { notices } = useDashboard();
  const notice = notices.current.value;
  useEffect(() => {
    if (notice === null || notice.failed) return;
    const timer = setTimeout(() => notices.dismiss(), SHOWN);
    return () => clearTimeout(timer);
  }, [notice, notices]);
  return (
    <div class="notices" aria-live="polite">
      {notice && (
        <div class={notice.failed ? "notice failed" : "notice"}>
          <div>
            <p>{notice.text}</p>
            {notice.problem?.hint && <ProblemText problem={{ ...notice.problem, detail: "" }} />}
          </div>
          <Button icon="close" label="Dismiss" kind="quiet" onClick={() => notices.dismiss()} />
        </div>
      )}
    </div>
  );
}
