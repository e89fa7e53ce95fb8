/** Who talks with whom through an adapter: every conversation, also those that are over. */

import { useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Conversation } from "../analysis/conversation";
import { COLUMNS, type Column, DEFAULT_SORTING } from "../models/conversation-list";
import {
  ABOUT_STATES,
  endText,
  filterOf,
  protocolOf,
  STATES,
  waysToFollow,
} from "../models/conversation-text";
import { count } from "../models/units";
import { goTo, param, setParam } from "./address";
import { useDashboard } from "./context";
import { ConversationTable } from "./conversations/ConversationTable";
import { Follow } from "./conversations/Follow";
import { showFollowed } from "./conversations/followed";
import { FileStrip } from "./packets/FileStrip";
import { SessionNote } from "./SessionNote";
import { SessionPicker } from "./SessionPicker";
import { Button } from "./ui/Button";
import { DirectionLegend } from "./ui/Direction";
import "../styles/packets.css";
import "../styles/conversations.css";

export function ConversationsView() {
  const dashboard = useDashboard();
  const { capture, conversations, service } = dashboard;
  const { engine } = capture;
  useEffect(() => engine.watchConversations(), [engine]);
  useAddress();
  const isFile = capture.file.value !== null;
  const maySee = isFile || service.can("capture");
  const current = conversations.current;
  const open = (one: Conversation) => {
    const [how] = waysToFollow(one);
    if (how !== undefined) showFollowed(dashboard, one.id, how);
  };
  return (
    <div class="conversations">
      <h1 class="unseen">Conversations</h1>
      <div class="conversations-bar">
        {isFile ? <FileStrip /> : <SessionPicker label="Conversations of" />}
        <Search />
        <div class="buttons">
          <Button
            icon="table"
            disabled={current === undefined}
            onClick={() => current && show(current)}
          >
            Show packets
          </Button>
          <Button
            icon="link"
            disabled={current === undefined || waysToFollow(current).length === 0}
            onClick={() => current && open(current)}
          >
            Follow stream
          </Button>
          {conversations.isDirected.value && <DirectionLegend />}
        </div>
      </div>
      {!isFile && <SessionNote />}
      {maySee ? (
        <>
          <ConversationTable onShow={show} onFollow={open} />
          <Selected one={current} />
          <Numbers />
        </>
      ) : (
        <p class="empty">
          Conversations are put together from packets, which this token cannot see. Sign in with a
          token that has the scope “capture”.
        </p>
      )}
      <Follow />
    </div>
  );
}

/** Show the packets of a conversation, and nothing else. */
function show(one: Conversation): void {
  goTo("packets", { filter: filterOf(one), packet: null });
}

/** Keep search and order in the address. */
function useAddress(): void {
  const { conversations } = useDashboard();
  useSignalEffect(() => {
    const text = param("find");
    if (text !== conversations.search.peek()) conversations.search.value = text;
    const [, sign = "", name = ""] = /^([-+]?)(\w*)$/.exec(param("sort")) ?? [];
    const column = COLUMNS.find((one) => one === name);
    const wanted = column === undefined ? DEFAULT_SORTING : { column, isDown: sign === "-" };
    const now = conversations.sorting.peek();
    if (now.column !== wanted.column || now.isDown !== wanted.isDown) {
      conversations.sorting.value = wanted;
    }
  });
  useSignalEffect(() => setParam("find", conversations.search.value, { tab: "conversations" }));
  useSignalEffect(() => {
    const { column, isDown } = conversations.sorting.value;
    const isDefault = column === DEFAULT_SORTING.column && isDown === DEFAULT_SORTING.isDown;
    setParam("sort", isDefault ? null : `${isDown ? "-" : ""}${column satisfies Column}`, {
      tab: "conversations",
    });
  });
}

function Search() {
  const { conversations } = useDashboard();
  return (
    <input
      class="search"
      type="search"
      aria-label="Find conversations"
      placeholder="Find by address, port, protocol or state, for example 10.6.7.7 443 closed"
      spellcheck={false}
      autocomplete="off"
      value={conversations.search.value}
      onInput={(event) => {
        conversations.search.value = event.currentTarget.value;
      }}
    />
  );
}

/** The selected conversation in a sentence. */
function Selected({ one }: { one: Conversation | undefined }) {
  if (one === undefined) {
    return (
      <p class="selected-line soft">
        Select a conversation. Enter shows its packets, F follows its stream.
      </p>
    );
  }
  const resent = one.retransmissions;
  return (
    <p class="selected-line">
      <b>{protocolOf(one)}</b> from <bdi class="mono">{endText(one.source, one.sourcePort)}</bdi> to{" "}
      <bdi class="mono">{endText(one.destination, one.destinationPort)}</bdi>. {STATES[one.state]}:{" "}
      {ABOUT_STATES[one.state]}
      {resent > 0 && ` ${count(resent)} segment${resent === 1 ? " was" : "s were"} sent again.`}
    </p>
  );
}

/** How many there are, and what may be missing. */
function Numbers() {
  const { capture, conversations } = useDashboard();
  const { engine } = capture;
  const all = conversations.all.value.length;
  const shown = conversations.rows.value.length;
  const { packetsLost, conversationsLost } = engine;
  return (
    <footer class="status-line">
      <span>
        <b>{count(shown)}</b> of {count(all)} conversation{all === 1 ? "" : "s"} shown
      </span>
      {packetsLost > 0 && (
        <span class="missing">
          {count(packetsLost)} packet{packetsLost === 1 ? " was" : "s were"} lost before{" "}
          {packetsLost === 1 ? "it" : "they"} reached this page; conversations may be incomplete
        </span>
      )}
      {conversationsLost > 0 && (
        <span class="missing">
          {count(conversationsLost)} older conversation{conversationsLost === 1 ? "" : "s"} made
          room for newer ones
        </span>
      )}
    </footer>
  );
}
