/** The selected packet: its layers and fields, and its bytes, each pointing at the other. */

import { useComputed } from "@preact/signals";
import type { How } from "../../analysis/conversation";
import type { Dashboard } from "../../models/dashboard";
import type { SelectedPacket } from "../../models/packet-table";
import { timeText } from "../../models/packet-text";
import type { Dissection } from "../../packet/dissection";
import { formatHex } from "../../packet/hex";
import { goTo } from "../address";
import { useDashboard } from "../context";
import { openFollow } from "../conversations/Follow";
import { Button } from "../ui/Button";
import { Direction } from "../ui/Direction";
import { copyAndSay } from "./actions";
import { FieldTree } from "./FieldTree";
import { HexView } from "./HexView";
import { useTools } from "./tools";

export function PacketDetail({ onClose }: { onClose: () => void }) {
  const { table } = useDashboard();
  const { detail } = useTools();
  const packet = table.selected.value;
  if (packet === null) return null;
  return (
    <section
      class="packet-detail"
      aria-label="Packet details"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        if (detail.pinned.peek() === null) onClose();
        else detail.pin(null);
      }}
    >
      <Heading packet={packet} onClose={onClose} />
      <Evicted />
      <div class="parts">
        <FieldTree />
        <HexView key={packet.row} bytes={packet.bytes} />
      </div>
    </section>
  );
}

function Heading({ packet, onClose }: { packet: SelectedPacket; onClose: () => void }) {
  const { compose, notices, table } = useDashboard();
  const { layout } = useTools();
  const cut = packet.originalLength > packet.bytes.length;
  return (
    <header>
      <h2>Packet {table.numberOf(packet.row).toLocaleString("en")}</h2>
      <dl>
        <div>
          <dt>Direction</dt>
          <dd>
            {packet.injected === null ? (
              "Not in the file"
            ) : (
              <Direction way={packet.injected ? "injected" : "received"} />
            )}
          </dd>
        </div>
        <div>
          <dt>Time</dt>
          <dd class="mono">{timeText(packet.timeNs, "date", 0n, layout.utc.value)}</dd>
        </div>
        <div>
          <dt>Length</dt>
          <dd>
            {packet.originalLength} bytes{cut ? `, ${packet.bytes.length} captured` : ""}
          </dd>
        </div>
      </dl>
      <div class="detail-actions">
        <FollowButtons packet={packet} />
        <Button
          icon="copy"
          onClick={() =>
            void copyAndSay(notices, formatHex(packet.bytes), `${packet.bytes.length} bytes`)
          }
        >
          Copy as hex
        </Button>
        <Button
          icon="send"
          disabled={cut}
          onClick={() => {
            compose.replay(packet.bytes);
            goTo("compose");
          }}
        >
          Edit and send
        </Button>
        <Button icon="close" label="Close the details" kind="quiet" onClick={onClose} />
      </div>
    </header>
  );
}

/** Say that the row of the selected packet had to go; the place is there before the text comes. */
function Evicted() {
  const { table } = useDashboard();
  const isGone = useComputed(() => {
    void table.version.value;
    const packet = table.selected.value;
    return packet !== null && packet.row < table.capture.ring.first;
  });
  return (
    <p class="evicted" role="status">
      {isGone.value &&
        "This packet is no longer in the table: it was dropped at the limit to make room. " +
          "What is shown here is a copy."}
    </p>
  );
}

const WAYS: readonly (readonly [layer: string, how: How, label: string])[] = [
  ["http", "http", "Follow HTTP"],
  ["tcp", "tcp", "Follow TCP"],
  ["udp", "udp", "Follow UDP"],
];

/** Return how the conversation of a packet can be read; what an ICMP error quotes is not it. */
export function waysOf({ layers }: Dissection): typeof WAYS {
  const error = layers.findIndex(({ name }) => name.startsWith("icmp"));
  const own = (error < 0 ? layers : layers.slice(0, error)).map(({ name }) => name);
  return WAYS.filter(([layer]) => own.includes(layer));
}

/** Show what both ends of a row's conversation said, or say why not. */
export function follow(dashboard: Dashboard, row: number, how: How): void {
  if (openFollow(dashboard, row, how)) return;
  dashboard.notices.say("The conversation of this packet is not known. It may be too old.");
}

function FollowButtons({ packet }: { packet: SelectedPacket }) {
  const dashboard = useDashboard();
  return (
    <>
      {waysOf(packet.decoded).map(([, how, label]) => (
        <Button key={how} onClick={() => follow(dashboard, packet.row, how)}>
          {label}
        </Button>
      ))}
    </>
  );
}
