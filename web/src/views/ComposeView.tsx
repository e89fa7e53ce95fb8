/** Make a packet, look at it, send it to one adapter, and see what comes back. */

import { useEffect } from "preact/hooks";
import { type Draft, FLAGS, KINDS } from "../models/compose";
import { QUERY_TYPES } from "../packet/dns-query";
import { formatHex } from "../packet/hex";
import { useDashboard } from "./context";
import { InjectionPanel } from "./InjectionPanel";
import { Button } from "./ui/Button";
import { Choice } from "./ui/Choice";
import { Field } from "./ui/Field";
import "../styles/packets.css";
import "../styles/compose.css";

/** Bytes of a packet that are shown. */
const SHOWN = 512;

export function ComposeView() {
  const { adapters, chosen, compose } = useDashboard();
  const addresses = adapters.find(chosen.target.value)?.addresses.join();
  useEffect(() => {
    if (addresses) compose.aim(addresses.split(","));
  }, [compose, addresses]);
  const { kind } = compose.draft.value;
  return (
    <div class="compose">
      <h1 class="unseen">Compose</h1>
      <section class="panel" aria-labelledby="packet-title">
        <header class="panel-head">
          <h2 id="packet-title">Packet</h2>
          <span class="grow" />
          <Replay />
        </header>
        <div class="panel-body">
          <Choice
            label="Kind of packet"
            value={kind}
            options={KINDS}
            onChange={(next) => compose.choose(next)}
          />
          {kind === "raw" ? <RawFields /> : <BuiltFields />}
        </div>
      </section>
      <Preview />
      <InjectionPanel />
    </div>
  );
}

/** Connect a field to a member of the draft. */
function useDraft() {
  const { compose } = useDashboard();
  return (name: keyof Draft) => ({
    value: String(compose.draft.value[name]),
    error: compose.error(name),
    onInput: (text: string) => compose.set({ [name]: text }),
  });
}

function BuiltFields() {
  const { compose } = useDashboard();
  const draft = useDraft();
  const { kind, payloadIsHex, destination } = compose.draft.value;
  const hops = destination.includes(":") ? "Hop limit" : "TTL";
  return (
    <>
      <div class="pair">
        <Field label="Source address" mono placeholder="10.6.7.8" {...draft("source")} />
        <Field label="Destination address" mono placeholder="10.6.7.7" {...draft("destination")} />
      </div>
      <Ends />
      <div class="pair">
        {kind === "echo" ? (
          <>
            <Field label="Identifier" {...draft("identifier")} />
            <Field
              label="Sequence number"
              hint="Increases by 1 per packet."
              {...draft("sequence")}
            />
          </>
        ) : (
          <>
            <Field label="Source port" {...draft("sourcePort")} />
            <Field label="Destination port" {...draft("destinationPort")} />
          </>
        )}
        <Field label={hops} {...draft("ttl")} />
      </div>
      {kind === "tcp" && <TcpFields />}
      {kind === "dns" && <DnsFields />}
      {kind !== "dns" && (
        <>
          <Field
            label="Payload"
            mono={payloadIsHex}
            rows={2}
            placeholder="No payload"
            {...draft("payload")}
          />
          <label class="check">
            <input
              type="checkbox"
              checked={payloadIsHex}
              onChange={(event) => compose.set({ payloadIsHex: event.currentTarget.checked })}
            />
            The payload is hexadecimal
          </label>
        </>
      )}
    </>
  );
}

/** Which way, and by which version of IP. */
function Ends() {
  const { adapters, chosen, compose } = useDashboard();
  const addresses = adapters.find(chosen.target.value)?.addresses ?? [];
  const hasBoth = [true, false].every((isSix) =>
    addresses.some((one) => one.includes(":") === isSix),
  );
  const isSix = compose.draft.value.destination.includes(":");
  return (
    <div class="ends">
      <Button icon="link" onClick={() => compose.swap()}>
        Swap source and destination
      </Button>
      {hasBoth && (
        <Button onClick={() => compose.aim(addresses, isSix ? 4 : 6)}>
          Use {isSix ? "IPv4" : "IPv6"} addresses
        </Button>
      )}
    </div>
  );
}

function TcpFields() {
  const { compose } = useDashboard();
  const draft = useDraft();
  const { flags } = compose.draft.value;
  return (
    <>
      <fieldset class="flags">
        <legend>Flags</legend>
        {FLAGS.map(([name, bit]) => (
          <label key={name} class="check">
            <input
              type="checkbox"
              checked={(flags & bit) !== 0}
              onChange={() => compose.set({ flags: flags ^ bit })}
            />
            {name}
          </label>
        ))}
      </fieldset>
      <div class="pair">
        <Field label="Sequence number" hint="Increases by 1 per packet." {...draft("sequence")} />
        {(flags & 0x10) !== 0 && (
          <Field label="Acknowledgement number" {...draft("acknowledgement")} />
        )}
      </div>
    </>
  );
}

function DnsFields() {
  const { compose } = useDashboard();
  const draft = useDraft();
  return (
    <div class="pair">
      <Field label="Name to look up" mono {...draft("query")} />
      <label class="field">
        <strong>Record type</strong>
        <select
          value={compose.draft.value.queryType}
          onChange={(event) => compose.set({ queryType: event.currentTarget.value })}
        >
          {Object.keys(QUERY_TYPES).map((type) => (
            <option key={type} value={type}>
              {type}
            </option>
          ))}
        </select>
      </label>
      <Field label="Identifier" hint="Increases by 1 per packet." {...draft("identifier")} />
    </div>
  );
}

function RawFields() {
  const { compose } = useDashboard();
  const draft = useDraft();
  return (
    <>
      <Field
        label="Bytes"
        mono
        rows={8}
        placeholder="45 00 00 26 00 00 00 00 40 01 …"
        hint="Hexadecimal, from the first byte of the IP header. You can paste a hex dump from Wireshark, hexdump -C or xxd."
        {...draft("raw")}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={compose.draft.value.repair}
          onChange={(event) => compose.set({ repair: event.currentTarget.checked })}
        />
        Fix lengths and checksums
      </label>
    </>
  );
}

function Replay() {
  const { compose, table } = useDashboard();
  const selected = table.selected.value;
  return (
    <Button
      icon="edit"
      disabled={selected === null}
      title={selected === null ? "Select a packet in Packets first." : undefined}
      onClick={() => selected && compose.replay(selected.bytes)}
    >
      {selected ? `Edit packet ${table.numberOf(selected.row)}` : "Edit the selected packet"}
    </Button>
  );
}

function Preview() {
  const { compose } = useDashboard();
  const packet = compose.packet.value;
  const decoded = compose.decoded.value;
  return (
    <section class="panel preview" aria-labelledby="preview-title">
      <header class="panel-head">
        <h2 id="preview-title">Preview</h2>
        {packet && <span class="count">{packet.length.toLocaleString("en")} bytes</span>}
      </header>
      <div class="panel-body">
        {packet === null || decoded === null ? (
          <p class="soft">Correct the marked field to see the packet.</p>
        ) : (
          <>
            <p class="summary">
              <strong>{decoded.protocol}</strong> {decoded.source} → {decoded.destination}
              <br />
              {decoded.info}
            </p>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
            <pre class="mono hex" tabIndex={0}>
              {formatHex(packet.subarray(0, SHOWN))}
            </pre>
            {packet.length > SHOWN && <p class="soft">The first {SHOWN} bytes are shown.</p>}
          </>
        )}
      </div>
    </section>
  );
}
