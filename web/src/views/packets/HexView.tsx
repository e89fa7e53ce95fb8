/**
 * The bytes of a packet, sixteen in a row, or eight where there is no room. Only the rows in view
 * are there. A byte names its field; a click chooses it, and arrows go from field to field.
 */

import { computed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { aboutNode, neighbour, nodeAt } from "../../models/packet-tree";
import { ascii } from "../../packet/bytes";
import { useTools } from "./tools";

/** Rows outside the view that are there too, so that scrolling shows no gap. */
const BEYOND = 4;
const NARROW = 480; // pixels
/** Height of a row in pixels, as the style sheet has it. */
const ROW = 20;

export function HexView({ bytes }: { bytes: Uint8Array }) {
  const { detail } = useTools();
  const scroller = useRef<HTMLDivElement>(null);
  const width = useSignal(16);
  const first = useSignal(0);
  const height = useSignal(0);

  const look = (): void => {
    const element = scroller.current;
    if (element === null) return;
    first.value = Math.max(0, Math.floor(element.scrollTop / ROW) - BEYOND);
    height.value = element.clientHeight;
    width.value = (element.parentElement?.clientWidth ?? NARROW) < NARROW ? 8 : 16;
  };
  useEffect(() => {
    const element = scroller.current?.parentElement;
    if (element == null) return;
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  /** How far a byte is outside the view. */
  const beyond = ({ scrollTop, clientHeight }: Element, at: number): number => {
    const top = Math.floor(at / width.peek()) * ROW - scrollTop;
    return Math.min(0, top) + Math.max(0, top + 2 * ROW - clientHeight);
  };
  // What was chosen in the tree is brought into view.
  const shown = useRef("");
  useSignalEffect(() => {
    const { key = "", field } = detail.pinned.value ?? {};
    const element = scroller.current;
    // The tree is made anew when more is known of the packet, with the same nodes.
    if (key === shown.current) return;
    shown.current = key;
    if (field === undefined || element === null || field.end <= field.start) return;
    element.scrollTop += beyond(element, field.start);
  });

  const move = (step: 1 | -1): void => {
    const from = detail.pinned.peek();
    const next = neighbour(detail.roots.peek(), bytes.length, from, step);
    if (next !== null) detail.pin(next);
  };
  const jump = (distance: number): void => {
    const start = detail.pinned.peek()?.field.start ?? 0;
    const at = Math.min(Math.max(start + distance, 0), bytes.length - 1);
    const node = nodeAt(detail.roots.peek(), at);
    if (node === null) return;
    // A long field is chosen as a whole; it is the place in it that is to be seen.
    shown.current = node.key;
    detail.pin(node);
    if (scroller.current) scroller.current.scrollTop += beyond(scroller.current, at);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys: Record<string, () => void> = {
      ArrowRight: () => move(1),
      ArrowLeft: () => move(-1),
      ArrowDown: () => jump(width.peek()),
      ArrowUp: () => jump(-width.peek()),
      Home: () => jump(Number.NEGATIVE_INFINITY),
      End: () => jump(bytes.length),
    };
    const action = keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  const rows = Math.ceil(bytes.length / width.value);
  const last = Math.min(rows, first.value + Math.ceil(height.value / ROW) + 2 * BEYOND);
  const starts: number[] = [];
  for (let row = first.value; row < last; row++) starts.push(row * width.value);
  return (
    <div class="bytes">
      <div
        ref={scroller}
        class="hex mono"
        role="group"
        aria-label={`The ${bytes.length} bytes of the packet. Arrows go from field to field.`}
        aria-describedby="byte-about"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrows move in it, and it scrolls
        tabIndex={0}
        onScroll={look}
        onKeyDown={onKeyDown}
        onMouseMove={(event) => {
          const at = byteUnder(event);
          if (at >= 0) detail.hoverByte(at);
        }}
        onMouseLeave={() => detail.hover(null)}
        onClick={(event) => {
          const at = byteUnder(event);
          if (at >= 0) detail.pinByte(at);
        }}
      >
        <div class="hex-rows" style={{ height: `${rows * ROW}px` }}>
          <div style={{ transform: `translateY(${first.value * ROW}px)` }}>
            {starts.map((start) => (
              <HexRow
                key={`${width.value} ${start}`}
                bytes={bytes}
                start={start}
                width={width.value}
              />
            ))}
          </div>
        </div>
      </div>
      <About />
    </div>
  );
}

/** The field that is marked. What the pointer is on is not announced. */
function About() {
  const { detail } = useTools();
  const node = detail.marked.value;
  const isPointed = node !== detail.pinned.value;
  return (
    <p id="byte-about" class="byte-about" aria-live={isPointed ? "off" : "polite"}>
      {node === null ? "Point at a byte to see its field." : aboutNode(node)}
    </p>
  );
}

interface RowProps {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly width: number;
}

function HexRow({ bytes, start, width }: RowProps) {
  const { detail } = useTools();
  const size = Math.min(width, bytes.length - start);
  // Only the rows a mark touches are drawn again.
  const mark = useMemo(
    () =>
      computed(() => {
        const field = detail.marked.value?.field;
        if (field === undefined) return "";
        const from = Math.max(0, field.start - start);
        const to = Math.min(size, field.end - start);
        return from < to ? `${from} ${to}` : "";
      }),
    [detail, start, size],
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
      <span class="digits" style={{ minWidth: `${width * 3 + (width > 8 ? 0 : -1)}ch` }}>
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
  const { length } = part.textContent;
  const box = part.getBoundingClientRect();
  // A last row that is short leaves the rest of its place empty.
  const isDigits = part.classList.contains("digits");
  const whole = isDigits ? Number.parseFloat(part.style.minWidth) : length;
  const column = Math.floor(((event.clientX - box.left) / box.width) * Math.max(whole, length));
  if (column < 0 || column >= length) return -1;
  if (!isDigits) return start + column;
  return start + Math.floor((column > 23 ? column - 1 : column) / 3);
}
