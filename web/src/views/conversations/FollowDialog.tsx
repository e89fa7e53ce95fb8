/** What both ends of a conversation said: as text, as hexadecimal digits, as messages of HTTP. */

import type { RefObject } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Followed, How, HttpMessage, Part } from "../../analysis/conversation";
import { endText, waysToFollow } from "../../models/conversation-text";
import { type Body, bodyOf, MAX_SHOWN, rawBytes } from "../../models/followed-text";
import { timeText } from "../../models/packet-text";
import { binary, count } from "../../models/units";
import { goTo, takeAway } from "../address";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { Choice } from "../ui/Choice";
import { openDialogs } from "../ui/Dialog";
import { save } from "../ui/save";
import {
  type Block,
  blocksOf,
  endsOf,
  findIn,
  type Look,
  MAX_FOUND,
  type Places,
  savedText,
} from "./blocks";
import { showFollowed } from "./followed";

type Side = "both" | "0" | "1";

const HOWS: Readonly<Record<How, string>> = { tcp: "TCP", udp: "UDP", http: "HTTP" };

export function FollowDialog() {
  const { follow } = useDashboard();
  const state = follow.state.value;
  const title = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    openDialogs.value++;
    return () => {
      openDialogs.value--;
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  const followed = state.name === "shown" ? state.followed : null;
  return (
    <dialog ref={dialog} class="dialog follow" aria-labelledby={title} onClose={takeAway}>
      <header>
        <h2 id={title}>{followed === null ? "Follow stream" : titleOf(followed)}</h2>
        <Button icon="close" label="Close" kind="quiet" onClick={takeAway} />
      </header>
      {state.name === "loading" && <p class="waiting">Putting the conversation together…</p>}
      {state.name === "failed" && (
        <p class="waiting" role="alert">
          {state.reason}
        </p>
      )}
      {followed !== null && (
        <Stream key={`${followed.conversation.id} ${followed.how}`} of={followed} />
      )}
    </dialog>
  );
}

function titleOf({ conversation: one, how }: Followed): string {
  const number = one.stream >= 0 ? ` stream ${one.stream}` : "";
  return `Follow ${HOWS[how]}${how === "http" ? "" : number}: ${endText(one.source, one.sourcePort)} and ${endText(one.destination, one.destinationPort)}`;
}

function Stream({ of: followed }: { of: Followed }) {
  const dashboard = useDashboard();
  const { conversations } = dashboard;
  const isDirected = conversations.isDirected.value;
  const { conversation, how } = followed;
  const [look, setLook] = useState<Look>("text");
  const [side, setSide] = useState<Side>("both");
  const [wanted, setWanted] = useState("");
  const [current, setCurrent] = useState(0);
  const only = side === "both" ? null : (Number(side) as 0 | 1);
  const bodies = useBodies(followed);
  const { blocks, left } = useMemo(
    () => blocksOf(followed, isDirected, look, only, bodies),
    [followed, isDirected, look, only, bodies],
  );
  const { places, total } = useMemo(() => findIn(blocks, wanted), [blocks, wanted]);
  const ways = waysToFollow(conversation);
  const isHttp = how === "http";
  const ends = endsOf(followed);
  const step = (by: number) => {
    if (total > 0) setCurrent((current + by + total) % total);
  };
  // At once: Enter may follow before the browser has painted.
  useLayoutEffect(() => setCurrent(0), [wanted, look, side]);
  const area = useRef<HTMLElement>(null);
  // The keys scroll at once. The dialog is opened after this, in the same turn.
  useEffect(() => queueMicrotask(() => area.current?.focus()), []);
  return (
    <>
      <div class="follow-bar">
        {ways.length > 1 && (
          <Choice
            label="Follow as"
            value={how}
            options={ways.map((id) => ({ id, label: HOWS[id] }))}
            onChange={(next) => showFollowed(dashboard, conversation.id, next)}
          />
        )}
        <Choice
          label="Show as"
          value={look}
          options={[
            { id: "text", label: "Text" },
            { id: "hex", label: "Hex" },
          ]}
          onChange={setLook}
        />
        <label class="picker">
          <span>Show</span>
          <select value={side} onChange={(event) => setSide(event.currentTarget.value as Side)}>
            <option value="both">both ends</option>
            <option value="0">{ends[0]}, which opened it</option>
            <option value="1">{ends[1]}</option>
          </select>
        </label>
        <form
          class="find"
          onSubmit={(event) => {
            event.preventDefault();
            step(1);
          }}
        >
          <input
            type="search"
            aria-label="Find in the conversation"
            placeholder="Find"
            spellcheck={false}
            autocomplete="off"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || !event.shiftKey) return;
              event.preventDefault();
              step(-1);
            }}
          />
          <Button disabled={total === 0} onClick={() => step(-1)}>
            Previous
          </Button>
          <Button type="submit" disabled={total === 0}>
            Next
          </Button>
          <span class="found" role="status">
            {wanted !== "" &&
              (total === 0
                ? "Not found"
                : `${current + 1} of ${count(total)}${total === MAX_FOUND ? " or more" : ""}`)}
          </span>
        </form>
      </div>
      <Notes followed={followed} left={left} isHttp={isHttp} />
      <Blocks
        blocks={blocks}
        places={places}
        length={wanted.length}
        current={current}
        area={area}
      />
      <footer>
        <Button
          icon="save"
          onClick={() =>
            save(
              new Blob([
                savedText(blocksOf(followed, isDirected, look, only, bodies, Infinity).blocks),
              ]),
              `${fileName(followed)}.txt`,
            )
          }
        >
          {look === "hex" ? "Save hex" : "Save text"}
        </Button>
        <Button
          icon="save"
          onClick={() => save(rawBytes(followed, only), `${fileName(followed)}.bin`)}
        >
          Save raw bytes
        </Button>
        <span class="grow" />
        <Button onClick={takeAway}>Close</Button>
      </footer>
    </>
  );
}

function fileName({ conversation, how }: Followed): string {
  return `${how}-${conversation.stream >= 0 ? conversation.stream : conversation.id}`;
}

/** What is not there, each in a sentence. */
function Notes({ followed, left, isHttp }: { followed: Followed; left: number; isHttp: boolean }) {
  const { size, cut, missing, dropped, fragments, hasData, chunks, messages } = followed;
  const packets = (n: number) => `${count(n)} packet${n === 1 ? "" : "s"}`;
  const bytes = (n: number) => `${count(n)} byte${n === 1 ? "" : "s"}`;
  const notes = [
    dropped > 0 &&
      `${packets(dropped)} of this conversation ${dropped === 1 ? "is" : "are"} no longer kept; what is shown begins later.`,
    missing > 0 && `${bytes(missing)} are missing; each gap is marked.`,
    cut > 0 && `Only the first ${binary(size)} can be followed; ${bytes(cut)} are left out.`,
    left > 0 &&
      `Only the first ${binary(MAX_SHOWN)} are shown here. Save the stream to get all of it.`,
    isHttp &&
      messages.length === 0 &&
      chunks.length > 0 &&
      "No HTTP/1 message was found. Follow the stream as TCP to see its bytes.",
    fragments > 0 &&
      `${packets(fragments)} of this conversation ${fragments === 1 ? "is a fragment" : "are fragments"}. Fragments are not put together, so what they carry is not shown.`,
    chunks.length === 0 &&
      fragments === 0 &&
      (hasData || dropped > 0 ? "No data of this conversation is kept." : "No data was sent."),
  ].filter((note) => note !== false);
  if (notes.length === 0) return null;
  return (
    <div class="follow-notes" role="status">
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
    </div>
  );
}

/** Undo the compression of the bodies; what is not there yet is shown as it was sent. */
function useBodies(followed: Followed): ReadonlyMap<HttpMessage, Body> {
  const [bodies, setBodies] = useState<ReadonlyMap<HttpMessage, Body>>(new Map());
  useEffect(() => {
    let isOpen = true;
    const packed = followed.messages.filter(({ encoding }) => encoding !== "");
    void Promise.all(packed.map(async (one) => [one, await bodyOf(one)] as const)).then((found) => {
      if (isOpen && found.length > 0) setBodies(new Map(found));
    });
    return () => {
      isOpen = false;
    };
  }, [followed]);
  return bodies;
}

interface BlocksProps {
  readonly blocks: readonly Block[];
  readonly places: Places;
  readonly length: number;
  readonly current: number;
  readonly area: RefObject<HTMLElement | null>;
}

function Blocks({ blocks, places, length, current, area }: BlocksProps) {
  useEffect(() => {
    area.current?.querySelector("mark.current")?.scrollIntoView({ block: "nearest" });
  }, [current, places, area]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it
    <section class="follow-text" aria-label="What both ends said" tabIndex={0} ref={area}>
      {blocks.map((block, index) => (
        <article key={index} class={block.way}>
          <h3>
            {block.head}, <Packets of={block.parts} />
          </h3>
          {block.gap !== "" && <p class="gap">{block.gap}</p>}
          <pre class="mono">
            <Marked
              text={block.text}
              places={places.get(block)}
              length={length}
              current={current}
            />
          </pre>
        </article>
      ))}
    </section>
  );
}

/** Packets that are named before a reader asks for the rest. */
const FEW = 8;

/** The packets that something came in, each of which it leads to. */
function Packets({ of: parts }: { of: readonly Part[] }) {
  const { notices, table } = useDashboard();
  const [isWhole, setWhole] = useState(false);
  const show = async (number: number) => {
    goTo("packets", { packet: number });
    const why = await table.goTo(String(number));
    if (why !== "") notices.say(why);
  };
  const shown = isWhole ? parts : parts.slice(0, FEW);
  const left = parts.length - shown.length;
  return (
    <>
      {parts.length === 1 ? "packet" : "packets"}
      {shown.map(({ at, row, timeNs }) => (
        <>
          {" "}
          <button
            key={at}
            type="button"
            class="text-button"
            title={`Go to this packet, of ${timeText(timeNs, "clock", 0n)}`}
            onClick={() => show(table.numberOf(row))}
          >
            {table.numberOf(row)}
          </button>
        </>
      ))}
      {left > 0 && (
        <>
          {" "}
          <button type="button" class="text-button" onClick={() => setWhole(true)}>
            and {count(left)} more
          </button>
        </>
      )}
    </>
  );
}

interface MarkedProps {
  readonly text: string;
  readonly places: readonly [first: number, places: readonly number[]] | undefined;
  readonly length: number;
  readonly current: number;
}

/** A text with the places that were looked for marked in it. */
function Marked({ text, places: found, length, current }: MarkedProps) {
  if (found === undefined) return <>{text}</>;
  const [first, places] = found;
  return (
    <>
      {places.map((at, index) => (
        <>
          {text.slice(index === 0 ? 0 : (places[index - 1] ?? 0) + length, at)}
          <mark class={first + index === current ? "current" : ""}>
            {text.slice(at, at + length)}
          </mark>
        </>
      ))}
      {text.slice((places.at(-1) ?? 0) + length)}
    </>
  );
}
