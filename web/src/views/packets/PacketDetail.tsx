/** The selected packet: its layers and fields, and its bytes, each pointing at the other. */

import { fieldOf } from "../../filter/fields";
import type { SelectedPacket } from "../../models/packet-table";
import { timeText } from "../../models/packet-text";
import type { Field } from "../../packet/dissection";
import { formatHex } from "../../packet/hex";
import { goTo } from "../address";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { HexView } from "./HexView";

export function PacketDetail() {
  const { table } = useDashboard();
  const packet = table.selected.value;
  if (packet === null) return null;
  return (
    <section class="packet-detail" aria-label="Packet details">
      <Heading packet={packet} />
      <div class="layers" onMouseLeave={() => table.mark(null)} role="presentation">
        {packet.decoded.layers.map((layer) => (
          <Layer key={`${layer.name} ${layer.start}`} layer={layer} />
        ))}
      </div>
      <HexView bytes={packet.bytes} />
    </section>
  );
}

function Heading({ packet }: { packet: SelectedPacket }) {
  const { compose, table } = useDashboard();
  const cut = packet.originalLength > packet.bytes.length;
  return (
    <header>
      <h2>Packet {table.numberOf(packet.row).toLocaleString("en")}</h2>
      <dl>
        <div class={packet.injected ? "injected" : "received"}>
          <dt>Direction</dt>
          <dd>{packet.injected ? "injected" : "received"}</dd>
        </div>
        <div>
          <dt>Time</dt>
          <dd class="mono">{timeText(packet.timeNs, "clock", 0n)}</dd>
        </div>
        <div>
          <dt>Sequence</dt>
          <dd class="mono">{packet.sequence}</dd>
        </div>
        <div>
          <dt>Length</dt>
          <dd>
            {packet.originalLength} bytes{cut ? `, ${packet.bytes.length} captured` : ""}
          </dd>
        </div>
      </dl>
      <div class="detail-actions">
        <Button
          icon="copy"
          label="Copy as hex"
          kind="quiet"
          onClick={() => void navigator.clipboard.writeText(formatHex(packet.bytes))}
        />
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
        <Button icon="close" label="Close" kind="quiet" onClick={() => table.select(-1)} />
      </div>
    </header>
  );
}

function Layer({ layer }: { layer: Field }) {
  const { table } = useDashboard();
  return (
    <details open>
      <summary
        class={table.marked.value?.field === layer ? "marked" : ""}
        onMouseEnter={() => table.mark(layer)}
        onFocus={() => table.mark(layer)}
      >
        <strong>{layer.label}</strong> <span>{layer.text}</span>
      </summary>
      <FieldList fields={layer.fields} />
    </details>
  );
}

function FieldList({ fields }: { fields: readonly Field[] }) {
  return (
    <ul>
      {fields.map((field, index) => (
        <FieldRow key={index} field={field} />
      ))}
    </ul>
  );
}

function FieldRow({ field }: { field: Field }) {
  const { table } = useDashboard();
  const marked = table.marked.value?.field === field;
  return (
    <li>
      <div
        class={`node${marked ? " marked" : ""}`}
        onMouseEnter={() => table.mark(field)}
        role="presentation"
      >
        <button type="button" class="name" title={field.name} onFocus={() => table.mark(field)}>
          {field.label}
        </button>
        <span class="value mono">{field.text}</span>
        {fieldOf(field.name) !== undefined && field.value !== "" && (
          <button
            type="button"
            class="as-filter"
            title={`Filter by ${field.name}`}
            aria-label={`Filter by ${field.label} ${field.text}`}
            onClick={() => table.filterBy(field)}
          >
            filter
          </button>
        )}
      </div>
      {field.fields.length > 0 && <FieldList fields={field.fields} />}
    </li>
  );
}
