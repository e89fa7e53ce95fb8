/** A filter of libpcap's, checked by the service as it is typed, its fault marked below it. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { FilterCheck, FilterState } from "../../models/filter-check";

interface Props {
  readonly label: string;
  readonly hint: ComponentChildren;
  readonly check: FilterCheck;
}

export function FilterField({ label, hint, check }: Props) {
  const id = useId();
  const text = check.text.value;
  const state = check.state.value;
  const isWrong = state.name === "wrong";
  return (
    <div class={isWrong ? "field wrong" : "field"}>
      <label for={id}>{label}</label>
      <div class="input">
        <input
          id={id}
          class="mono"
          type="text"
          value={text}
          placeholder="tcp port 443"
          spellcheck={false}
          autocomplete="off"
          aria-invalid={isWrong}
          aria-describedby={`${id}-said`}
          onInput={(event) => check.set(event.currentTarget.value)}
        />
      </div>
      <p id={`${id}-said`} class="said" role={isWrong ? "alert" : "status"}>
        {isWrong && text !== "" && <Fault text={text} offset={state.offset} />}
        {saidOf(state) || hint}
      </p>
    </div>
  );
}

/** The filter once more, with the word marked at which the fault is. */
function Fault({ text, offset }: { text: string; offset: number }) {
  const characters = [...text];
  const rest = characters.slice(offset).join("");
  const [word] = /^\s*\S*/.exec(rest) ?? [""];
  return (
    <code class="fault">
      {characters.slice(0, offset).join("")}
      <mark>{word || " "}</mark>
      {rest.slice(word.length)}
    </code>
  );
}

function saidOf(state: FilterState): string {
  switch (state.name) {
    case "empty":
      return "";
    case "checking":
      return "Checking…";
    case "valid":
      return "The filter is valid.";
    case "wrong":
      return state.message;
    case "unavailable":
      return `Filters are not available now. ${state.message}`;
    case "unchecked":
      return `The filter could not be checked. ${state.message}`;
  }
}
