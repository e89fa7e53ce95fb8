/** Delete a capture with its files, once that was confirmed. */

import { useMemo } from "preact/hooks";
import type { Capture } from "../../api/types";
import { Attempt } from "../../models/attempt";
import { isActive } from "../../models/captures";
import { binary, count } from "../../models/units";
import { useDashboard } from "../context";
import { Dialog } from "../ui/Dialog";
import { ProblemText } from "../ui/ProblemText";

export function DeleteCapture({ capture, onClose }: { capture: Capture; onClose: () => void }) {
  const { captures, notices } = useDashboard();
  const attempt = useMemo(() => new Attempt(), []);
  const { id, name, files, bytes } = capture;
  const problem = attempt.problem.value;
  const submit = async () => {
    if (!(await attempt.run(() => captures.delete(id)))) return;
    notices.say(`Capture ${name} was deleted.`);
    onClose();
  };
  const what = files.length === 1 ? "its file" : `its ${count(files.length)} files`;
  return (
    <Dialog
      title={`Delete capture ${name}`}
      action="Delete capture"
      danger
      busy={attempt.busy.value}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <p>
        {isActive(capture) && "The capture is stopped first. "}
        {files.length === 0
          ? "It has no files."
          : `This deletes ${what} (${binary(bytes)}) from the service. Download first any file that you want to keep.`}
      </p>
    </Dialog>
  );
}
