/** An error as the service tells it: what happened, what to do, and what the driver said. */

import type { Problem } from "../../api/types";

export function ProblemText({ problem }: { problem: Problem }) {
  const { detail, hint, log, win32_code, win32_code_hex } = problem;
  const code = win32_code == null ? "" : ` Win32 error ${win32_code} (${win32_code_hex}).`;
  return (
    <div class="problem" role="alert">
      {(detail || code) && (
        <p>
          <strong>{detail}</strong>
          {code}
        </p>
      )}
      {hint && <p>{hint}</p>}
      {log && log.length > 0 && <pre class="mono">{log.join("\n")}</pre>}
    </div>
  );
}
