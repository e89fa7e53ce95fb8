/** Make a packet, look at it, send it: once, many times, at a rate. */

import { useEffect } from "preact/hooks";
import { type Draft, KINDS } from "../models/compose";
import { formatHex } from "../packet/hex";
import { useDashboard } from "./context";
import { InjectionPanel } from "./InjectionPanel";
import { Button } from "./ui/Button";
import { Choice } from "./ui/Choice";
import { Field } from "./ui/Field";

export function ComposeView() {
  const { adapters, capture, compose, sessions } = useDashboard();
  const session = sessions.find(capture.session.value);
  const adapter = session && adapters.find(session.adapter);
  const addresses = adapter?.addresses.join();
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
            onChange={(next) => compose.set({ kind: next })}
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
    onInput: (text: string) => compose.set({ [name]: text }),
  });
}

function BuiltFields() {
  const { compose } = useDashboard();
  const draft = useDraft();
  const { kind, payloadIsHex } = compose.draft.value;
  return (
    <>
      <div class="pair">
        <Field label="Source address" mono placeholder="10.6.7.8" {...draft("source")} />
        <Field label="Destination address" mono placeholder="10.6.7.7" {...draft("destination")} />
      </div>
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
        {kind === "syn" && (
          <Field label="Sequence number" hint="Increases by 1 per packet." {...draft("sequence")} />
        )}
        <Field label="TTL" hint="Hop limit for IPv6." {...draft("ttl")} />
      </div>
      <Field label="Payload" mono={payloadIsHex} rows={2} {...draft("payload")} />
      <label class="check">
        <input
          type="checkbox"
          checked={payloadIsHex}
          onChange={(event) => compose.set({ payloadIsHex: event.currentTarget.checked })}
        />
        The payload is hexadecimal
      </label>
    </>
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
        hint="Hexadecimal, from the first byte of the IP header."
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
        {typeof packet !== "string" && <span class="count">{packet.length} bytes</span>}
      </header>
      <div class="panel-body">
        {typeof packet === "string" || decoded === null ? (
          <p class="wrong-text" role="status">
            {String(packet)}
          </p>
        ) : (
          <>
            <p class="summary">
              <strong>{decoded.protocol}</strong> {decoded.source} → {decoded.destination}
              <br />
              {decoded.info}
            </p>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it */}
            <pre class="mono hex" tabIndex={0}>
              {formatHex(packet.subarray(0, 512))}
            </pre>
            {packet.length > 512 && <p class="soft">The first 512 bytes.</p>}
          </>
        )}
      </div>
    </section>
  );
}
