/** The selected packet: its layers and fields, and its bytes, each pointing at the other. */

import { type Signal, useComputed, useSignal } from "@preact/signals";
import type { How } from "../../analysis/conversation";
import type { Dashboard } from "../../models/dashboard";
import type { SelectedPacket } from "../../models/packet-table";
import { rowText, timeText } from "../../models/packet-text";
import type { Dissection } from "../../packet/dissection";
import { formatHex } from "../../packet/hex";
import { goTo } from "../address";
import { useDashboard } from "../context";
import { openFollow } from "../conversations/followed";
import { Button } from "../ui/Button";
import { Choice } from "../ui/Choice";
import { Direction } from "../ui/Direction";
import { Icon, type IconName } from "../ui/Icon";
import { Menu, type MenuItem, useMenu } from "../ui/Menu";
import { useMedia } from "../ui/media";
import { copyAndSay } from "./actions";
import { FieldTree } from "./FieldTree";
import { HexView } from "./HexView";
import { useTools } from "./tools";

/** Too low for both at once: either the fields or the bytes. */
const LOW = "(max-height: 560px)";

interface Props {
  /** Whether it takes the place of the table. */
  readonly isCompact: boolean;
  readonly onClose: () => void;
}

type Part = "fields" | "bytes";

export function PacketDetail({ isCompact, onClose }: Props) {
  const { table } = useDashboard();
  const { detail } = useTools();
  const isLow = useMedia(LOW);
  const part = useSignal<Part>("fields");
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
      {isCompact ? (
        <CompactHeading packet={packet} part={isLow ? part : null} onClose={onClose} />
      ) : (
        <Heading packet={packet} onClose={onClose} />
      )}
      <Evicted />
      <div class={`parts${isLow ? " one" : ""}`}>
        {(!isLow || part.value === "fields") &&
          (packet.decoded.layers.length > 0 ? (
            <FieldTree />
          ) : (
            <p class="empty">{rowText(table.capture, packet.row).info}.</p>
          ))}
        {(!isLow || part.value === "bytes") && <HexView key={packet.row} bytes={packet.bytes} />}
      </div>
    </section>
  );
}

interface HeadingProps {
  readonly packet: SelectedPacket;
  readonly onClose: () => void;
}

function Heading({ packet, onClose }: HeadingProps) {
  const { table } = useDashboard();
  const { layout } = useTools();
  const cut = packet.originalLength > packet.bytes.length;
  const items = useItems(packet);
  return (
    <header>
      <h2>Packet {table.numberOf(packet.row).toLocaleString("en")}</h2>
      <dl>
        <div>
          <dt>Direction</dt>
          <dd>
            <Way packet={packet} />
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
        {items.map(({ label, icon, disabled = false, onChoose }) => (
          <Button key={label} icon={icon} disabled={disabled} onClick={onChoose}>
            {label}
          </Button>
        ))}
        <Button icon="close" label="Close the details" kind="quiet" onClick={onClose} />
      </div>
    </header>
  );
}

/** In place of the table: the way back to it, the packets before and after, and a menu. */
function CompactHeading({
  packet,
  part,
  onClose,
}: HeadingProps & { readonly part: Signal<Part> | null }) {
  const { table } = useDashboard();
  const items = useItems(packet);
  const { menu, open } = useMenu();
  return (
    <header>
      <Button icon="back" onClick={onClose}>
        Back
      </Button>
      <h2>Packet {table.numberOf(packet.row).toLocaleString("en")}</h2>
      {packet.injected !== null && (
        <p class="way">
          <Way packet={packet} />
        </p>
      )}
      <div class="detail-actions">
        {part && (
          <Choice
            label="What is shown"
            value={part.value}
            options={PARTS}
            onChange={(next) => {
              part.value = next;
            }}
          />
        )}
        <Button icon="up" label="Previous packet" kind="quiet" onClick={() => table.move(-1)} />
        <Button icon="down" label="Next packet" kind="quiet" onClick={() => table.move(1)} />
        <button
          type="button"
          class="button"
          aria-label="Actions for this packet"
          title="Actions for this packet"
          aria-haspopup="menu"
          onClick={({ currentTarget }) => open("Actions for this packet", items, currentTarget)}
        >
          <Icon name="more" />
        </button>
      </div>
      <Menu menu={menu} />
    </header>
  );
}

const PARTS: readonly { readonly id: Part; readonly label: string }[] = [
  { id: "fields", label: "Fields" },
  { id: "bytes", label: "Bytes" },
];

function Way({ packet }: { packet: SelectedPacket }) {
  if (packet.injected === null) return "Not in the file";
  return <Direction way={packet.injected ? "injected" : "received"} />;
}

/** Return what can be done with a packet. */
function useItems(packet: SelectedPacket): (MenuItem & { readonly icon?: IconName })[] {
  const dashboard = useDashboard();
  const { compose, notices } = dashboard;
  const { bytes } = packet;
  return [
    ...waysOf(packet.decoded).map(([, how, label]) => ({
      label,
      onChoose: () => follow(dashboard, packet.row, how),
    })),
    {
      label: "Copy as hex",
      icon: "copy",
      onChoose: () => void copyAndSay(notices, formatHex(bytes), `${bytes.length} bytes`),
    },
    {
      label: "Edit and send",
      icon: "send",
      disabled: packet.originalLength > bytes.length,
      onChoose: () => {
        compose.replay(bytes);
        goTo("compose");
      },
    },
  ];
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
