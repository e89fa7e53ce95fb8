/** Find the next packet, or go to one by its number. */

import { useLayoutEffect, useRef } from "preact/hooks";
import type { FindKind } from "../../models/packet-find";
import { Button } from "../ui/Button";
import { useTools } from "./tools";

const LABELS: Readonly<Record<FindKind | "number", readonly [label: string, example: string]>> = {
  text: ["Text", ""],
  hex: ["Bytes", "45 00 00 1c"],
  filter: ["Filter", "tcp.flags.reset"],
  number: ["Number", "1204"],
};

export function FindBar({ onClose }: { onClose: () => void }) {
  const { find } = useTools();
  const input = useRef<HTMLInputElement>(null);
  const kind = find.kind.value;
  const [, example] = LABELS[kind];
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, [find.asked.value]);
  return (
    <form
      class="find-bar"
      role="search"
      aria-label="Find packets"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void find.find(1);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onClose();
        } else if (event.key === "Enter" && event.shiftKey) {
          event.preventDefault();
          void find.find(-1);
        }
      }}
    >
      <label>
        <span class="unseen">Find by</span>
        <select
          value={kind}
          onChange={(event) => {
            find.kind.value = event.currentTarget.value as FindKind;
            find.cancel();
          }}
        >
          {Object.entries(LABELS).map(([id, [label]]) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <input
        ref={input}
        type="text"
        class="mono"
        aria-label={`Find ${LABELS[kind][0].toLowerCase()}`}
        aria-describedby="find-message"
        aria-invalid={find.isWrong.value}
        placeholder={kind === "text" ? "Text in the packet or its row" : `For example: ${example}`}
        inputMode={kind === "number" ? "numeric" : undefined}
        spellcheck={false}
        autocomplete="off"
        value={find.text.value}
        onInput={(event) => {
          find.text.value = event.currentTarget.value;
          find.cancel();
        }}
      />
      {kind === "number" ? (
        <Button type="submit">Go</Button>
      ) : (
        <>
          <Button type="submit">Next</Button>
          <Button onClick={() => void find.find(-1)}>Previous</Button>
        </>
      )}
      <Button icon="close" label="Close the search" kind="quiet" onClick={onClose} />
      <p
        id="find-message"
        class={find.isWrong.value ? "wrong-text" : "soft"}
        role="status"
        aria-live="polite"
      >
        {find.message.value}
      </p>
    </form>
  );
}
