/** The line below the filter: what is wrong with it and what to do, or how much passes it. */

import { echoOf } from "../../models/filter-echo";
import { count } from "../../models/units";
import { useDashboard } from "../context";
import { useTools } from "./tools";

export function FilterNote({ text }: { text: string }) {
  const { table } = useDashboard();
  const { history } = useTools();
  const error = table.filterError.value;
  const echo = error && echoOf(text, error);
  // Its place is always there, so that the table below does not move.
  return (
    <div id="filter-note" class="filter-note">
      {echo === null ? (
        <Matches />
      ) : (
        <p class="filter-error" role="alert">
          <code>
            {echo.before}
            <mark>{echo.wrong}</mark>
            {echo.after}
          </code>{" "}
          {echo.message}{" "}
          {echo.offer !== "" && (
            <button
              type="button"
              class="text-button"
              onClick={() => {
                table.filter(echo.offer);
                history.remember(echo.offer);
              }}
            >
              {labelOf(echo.offer)}
            </button>
          )}
        </p>
      )}
    </div>
  );
}

/** How many pass; the number is marked while it is not final. */
function Matches() {
  const { table } = useDashboard();
  void table.version.value;
  const { rows, capture } = table;
  // Those that came since are counted in the line below the table.
  const packets = rows.held > 0 ? "packets before the pause" : "packets";
  if (table.filterText.value.trim() === "") return <p>No filter: all {packets} are shown</p>;
  const { pending } = capture.engine;
  const [passed, kept] = [count(rows.packets), count(rows.candidates)];
  return (
    <p>
      {capture.file.value?.hasDirections === false &&
        WAYS.test(table.filterText.value.replace(QUOTED, "")) &&
        "This file has no directions. "}
      {pending > 0
        ? `At least ${passed} of ${kept} ${packets} match, still filtering (${count(pending)} to go)`
        : `${passed} of ${kept} ${packets} match`}
    </p>
  );
}

/** Words of a filter that ask which way a packet went, which those in quotes do not. */
const WAYS = /\b(?:from|to)\s+host\b|\b(?:received|injected)\b/i;
const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/** "Search the text for “arp”" for a filter that is one text; else the filter itself. */
function labelOf(offer: string): string {
  const [, word] = /^"([^"\\]*)"$/.exec(offer) ?? [];
  return word === undefined ? `Use ${offer}` : `Search the text for “${word}”`;
}
