/** Errors of the service in the words of this page: no routes, no error numbers in a sentence. */

import type { Problem } from "./types";

interface Words {
  readonly detail?: string;
  readonly hint?: string;
}

/** By the last part of a problem's type. What is left out stays as the service said it. */
const WORDS: Readonly<Record<string, Words>> = {
  "adapter-exists": { hint: "Choose another name, or open the existing adapter." },
  "adapter-not-found": { detail: "This adapter no longer exists.", hint: "" },
  "adapter-unavailable": { hint: "Wait a moment and try again." },
  "capture-not-found": { detail: "This capture no longer exists.", hint: "" },
  "impairment-not-found": { detail: "This session is not impaired.", hint: "" },
  "missing-scope": {
    detail: "This token does not allow this.",
    hint: "Sign in with another token.",
  },
  "recorder-not-found": { detail: "The recorder of this session is off.", hint: "" },
  "session-ended": { detail: "The session has ended.", hint: "Start it again on the Overview." },
  "session-exists": {
    detail: "The adapter already has a session.",
    hint: "Stop that session first. If another program started it, end that program.",
  },
  "session-not-found": {
    detail: "The session has ended.",
    hint: "Start it again on the Overview.",
  },
  stopping: { detail: "The service is stopping.", hint: "" },
};
const NUMBER = /\s*\((?:\w+: )?(?:win32 error|errno|Win32 error) [^()]*\)/g;
const SENTENCE = /[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]*\s*/g;
const ROUTE = /\/v1\/|\b(?:GET|POST|PUT|PATCH|DELETE) \//;

/** Return a problem as this page tells it. */
export function inPageWords(problem: Problem): Problem {
  const words = WORDS[problem.type.split(":").at(-1) ?? ""] ?? {};
  const detail = words.detail ?? (problem.detail ?? "").replace(NUMBER, "").trim();
  const hint = words.hint ?? withoutRoutes(problem.hint ?? "");
  const { hint: _said, ...rest } = problem;
  return { ...rest, detail, ...(hint !== "" && { hint }) };
}

/** Leave out the sentences that name a route: here are buttons for that. */
function withoutRoutes(text: string): string {
  const sentences = text.match(SENTENCE) ?? [];
  return sentences
    .filter((sentence) => !ROUTE.test(sentence))
    .join("")
    .trim();
}
