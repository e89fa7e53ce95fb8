/** An error: what is so, what to do, and folded away what the driver said. */

import type { Problem } from "../../api/types";

export function ProblemText({ problem }: { problem: Problem }) {
  const { detail, hint } = problem;
  const facts = factsOf(problem);
  if (!detail && !hint && facts.length === 0) return null;
  return (
    <div class="problem" role={detail ? "alert" : undefined}>
      {detail && (
        <p>
          <strong>{detail}</strong>
        </p>
      )}
      {hint && <p>{hint}</p>}
      {facts.length > 0 && (
        <details>
          <summary>Details</summary>
          <pre class="mono">{facts.join("\n")}</pre>
        </details>
      )}
    </div>
  );
}

/** Return what the driver or the system returned, which only a report needs. */
function factsOf({ function: name, win32_code, win32_code_hex, errno, log }: Problem): string[] {
  const at = name ? `${name}: ` : "";
  return [
    ...(win32_code == null ? [] : [`${at}Windows error ${win32_code} (${win32_code_hex})`]),
    ...(errno == null ? [] : [`${at}errno ${errno}`]),
    ...(log ?? []),
  ];
}
