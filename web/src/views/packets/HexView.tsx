/** The bytes of a packet in rows of sixteen; a byte under the pointer marks its field. */

import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { ascii } from "../../packet/bytes";
import { useDashboard } from "../context";

const WIDTH = 16;

export function HexView({ bytes }: { bytes: Uint8Array }) {
  const { table } = useDashboard();
  const starts = Array.from({ length: Math.ceil(bytes.length / WIDTH) }, (_, i) => i * WIDTH);
  return (
    <div
      class="hex mono"
      role="img"
      aria-label={`The ${bytes.length} bytes of the packet`}
      onMouseMove={(event) => {
        const at = byteUnder(event);
        if (at >= 0) table.markByte(at);
      }}
      onMouseLeave={() => table.mark(null)}
    >
      {starts.map((start) => (
        <HexRow key={start} bytes={bytes} start={start} />
      ))}
    </div>
  );
}

function HexRow({ bytes, start }: { bytes: Uint8Array; start: number }) {
  const { table } = useDashboard();
  const size = Math.min(WIDTH, bytes.length - start);
  // Only the rows a mark touches are drawn again.
  const mark = useMemo(
    () =>
      computed(() => {
        const range = table.marked.value;
        if (range === null) return "";
        const from = Math.max(0, range.start - start);
        const to = Math.min(size, range.end - start);
        return from < to ? `${from} ${to}` : "";
      }),
    [table, start, size],
  );
  const [from = 0, to = 0] = mark.value.split(" ").map(Number);
  const digits = Array.from(bytes.subarray(start, start + size), (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  const hex = (first: number, end: number): string => {
    let text = "";
    for (let i = first; i < end; i++)
      text += `${i === first ? "" : i === 8 ? "  " : " "}${digits[i]}`;
    return text;
  };
  const gap = (at: number): string => (at <= 0 || at >= size ? "" : at === 8 ? "  " : " ");
  const text = ascii(bytes, start, start + size);
  return (
    <div class="hex-row" data-start={start}>
      <span class="offset">{start.toString(16).padStart(4, "0")}</span>
      <span class="digits">
        {hex(0, from)}
        {gap(from)}
        {to > from && <mark>{hex(from, to)}</mark>}
        {gap(to)}
        {hex(to, size)}
      </span>
      <span class="text">
        {text.slice(0, from)}
        {to > from && <mark>{text.slice(from, to)}</mark>}
        {text.slice(to)}
      </span>
    </div>
  );
}

/** Return which byte the pointer is on, by the width of a character; -1 outside. */
function byteUnder(event: MouseEvent): number {
  const target = event.target as Element;
  const row = target.closest<HTMLElement>(".hex-row");
  const part = target.closest<HTMLElement>(".digits, .text");
  if (row === null || part === null) return -1;
  const start = Number(row.dataset["start"]);
  const length = part.textContent.length;
  const box = part.getBoundingClientRect();
  const column = Math.floor(((event.clientX - box.left) / box.width) * length);
  if (part.className === "text") return start + column;
  const index = Math.floor((column > 23 ? column - 1 : column) / 3);
  return start + Math.min(index, WIDTH - 1);
}
