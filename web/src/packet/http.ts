/** The head of an HTTP/1 message (RFC 9112), and SSDP, which is the same over UDP. */

import { findText, utf8 } from "./bytes";
import { type Dissection, type Dissector, type Field, UNSEEN } from "./dissection";
import { HttpFraming } from "./http-framing";
import { begins } from "./sniff";

/** Header fields that Wireshark has a name for. */
const NAMED = new Set(
  "accept accept_encoding accept_language authorization cache_control connection content_encoding content_type cookie date host last_modified location origin proxy_authenticate proxy_authorization referer sec_websocket_accept sec_websocket_extensions sec_websocket_key sec_websocket_protocol sec_websocket_version server set_cookie transfer_encoding upgrade user_agent www_authenticate x_forwarded_for".split(
    " ",
  ),
);
const LINE_END = Uint8Array.of(13, 10);
const MAX_LINES = 64;

export function httpDissector(protocol: string, title: string): Dissector {
  return (to, start, end) => {
    to.protocol = protocol;
    const starts = [start];
    new HttpFraming().read(to.bytes, start, end, {
      onMessage: (at) => at === start || starts.push(at) > 0,
    });
    const said = starts.map((at, index) => {
      const stop = starts[index + 1] ?? end;
      const layer = to.layer(protocol.toLowerCase(), title, at, stop);
      dissect(to, layer, at, stop);
      return layer.text;
    });
    to.info = said.join(", ");
  };
}

function dissect(to: Dissection, layer: Field, start: number, end: number): void {
  const { bytes } = to;
  let at = start;
  let kind = "request";
  for (let line = 0; line < MAX_LINES; line++) {
    const found = findText(bytes, at, end, LINE_END);
    const stop = found < 0 ? end : found;
    const text = utf8(bytes, at, stop);
    if (line === 0) {
      layer.text = text;
      if (begins(bytes, start, end, "HTTP/")) kind = "response";
      addFirstLine(layer, kind, text, at, stop);
    } else if (text !== "") addHeader(layer, kind, text, at, stop, found < 0 ? "" : "\r\n");
    if (text === "") addWhole(layer);
    if (found < 0 || text === "") {
      layer.end = found < 0 ? end : found + 2;
      to.data(layer.end, end);
      return;
    }
    at = found + 2;
  }
}

/** Add the address that a request is for, which is in two of its lines. */
function addWhole(layer: Field): void {
  const [request] = layer.fields;
  const target = request?.fields.find(({ name }) => name === "http.request.uri");
  const host = layer.fields.find(({ name }) => name === "http.host")?.value;
  if (target === undefined || host === undefined || String(target.value).includes("://")) return;
  const whole = `http://${host}${target.value}`;
  target.add("http.request.full_uri", "Address", target.start, target.end, whole);
}

function addHeader(
  layer: Field,
  kind: string,
  text: string,
  start: number,
  end: number,
  lineEnd: string,
): void {
  const colon = text.indexOf(":");
  const label = text.slice(0, colon).trim();
  const value = text.slice(colon + 1).trim();
  const name = label.toLowerCase().replaceAll("-", "_");
  const line = `http.${kind}.line`;
  const behind = end + lineEnd.length;
  let field: Field | null = null;
  if (name === "content_length") {
    field = layer.add("http.content_length_header", label, start, end, value);
    if (/^\d+$/.test(value)) field.add("http.content_length", "Bytes", start, end, Number(value));
  } else if (NAMED.has(name)) field = layer.add(`http.${name}`, label, start, end, value);
  else if (colon > 0) layer.add(line, label, start, behind, text + lineEnd, value);
  field?.add(line, UNSEEN, start, behind, text + lineEnd);
}

function addFirstLine(layer: Field, kind: string, text: string, start: number, end: number): void {
  const field = layer.add(
    `http.${kind}`,
    kind === "request" ? "Request" : "Response",
    start,
    end,
    true,
    text,
  );
  const [first = "", second = "", ...more] = text.split(" ");
  const rest = more.join(" ");
  // Lengths in bytes are those in characters unless there are others than of ASCII.
  const wide = end - start - text.length;
  const middle = Math.min(start + first.length + 1, end);
  const last = end - rest.length;
  const add = (name: string, label: string, from: number, to: number, value: string | number) =>
    field.add(`http.${kind}.${name}`, label, from, Math.min(end, to), value);
  if (kind === "response") {
    add("version", "Version", start, start + first.length, first);
    // The rest of the line may be in another packet.
    if (/^\d{3}$/.test(second)) {
      add("code", "Status", middle, middle + second.length, Number(second));
    }
    if (rest !== "") add("phrase", "Reason", last, end, rest);
    return;
  }
  add("method", "Method", start, start + first.length, first);
  const target = add("uri", "Target", middle, middle + second.length + wide, second);
  const query = second.indexOf("?");
  if (query >= 0) {
    const { start: from, end: to } = target;
    target.add("http.request.uri.path", "Path", from, to, second.slice(0, query));
    target.add("http.request.uri.query", "Query", from, to, second.slice(query + 1));
  }
  if (rest !== "") add("version", "Version", last, end, rest);
}
