/** The line below the filter: what is wrong with it and what to do, or how much passes it. */

import { count } from "../../models/units";
import { useDashboard } from "../context";
import { useTools } from "./tools";

export function FilterNote({ text }: { text: string }) {
  const { table } = useDashboard();
  const { history } = useTools();
  const error = table.filterError.value;
  const offer = error?.offer;
  // Its place is always there, so that the table below does not move.
  return (
    <div id="filter-note" class="filter-note">
      {error === null ? (
        <Matches />
      ) : (
        <p class="filter-error" role="alert">
          <code>
            {text.slice(0, error.start)}
            <mark>{text.slice(error.start, error.end) || " "}</mark>
            {text.slice(error.end)}
          </code>{" "}
          {offer === undefined ? error.message : error.message.replace(SAID, "")}{" "}
          {offer !== undefined && (
            <button
              type="button"
              class="text-button"
              onClick={() => {
                table.filter(offer);
                history.remember(offer);
              }}
            >
              {labelOf(offer)}
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
  if (table.filterText.value.trim() === "") return <p>No filter: all packets are shown</p>;
  void table.version.value;
  const { rows, capture } = table;
  const { pending } = capture.engine;
  const [passed, kept] = [count(rows.count), count(capture.ring.count)];
  return (
    <p>
      {capture.file.value?.hasDirections === false &&
        WAYS.test(table.filterText.value.replace(QUOTED, "")) &&
        "This file has no directions. "}
      {pending > 0
        ? `At least ${passed} of ${kept} packets match, still filtering (${count(pending)} to go)`
        : `${passed} of ${kept} packets match`}
    </p>
  );
}

/** Words of a filter that ask which way a packet went, which those in quotes do not. */
const WAYS = /\b(?:from|to)\s+host\b|\b(?:received|injected)\b/i;
const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/** What the offer says again. */
const SAID = / Search the text for it: .*$/;

/** "Search the text for “arp”" for a filter that is one text; else the filter itself. */
function labelOf(offer: string): string {
  const [, word] = /^"([^"\\]*)"$/.exec(offer) ?? [];
  return word === undefined ? `Use ${offer}` : `Search the text for “${word}”`;
}
