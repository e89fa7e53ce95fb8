/** TLS records and what a handshake says in the clear (RFC 8446). */

import { u8, u16, u24, utf8 } from "./bytes";
import { type Dissection, type Field, isFull, MAX_ITEMS } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";
import { isTls } from "./sniff";

export function dissectTls(to: Dissection, start: number, end: number): void {
  const said: string[] = [];
  to.protocol = "TLS";
  const layer = to.layer("tls", "Transport Layer Security", start, end);
  let at = start;
  while (isTls(to.bytes, at, end)) {
    if (isFull(layer, at, end)) {
      said.push("…");
      break;
    }
    const stop = Math.min(end, at + 5 + u16(to.bytes, at + 3));
    said.push(...dissectRecord(to, layer, at, stop));
    at = stop;
    to.info = layer.text = said.join(", ");
  }
  if (to.malformed) to.info += " [Malformed Packet]";
  layer.end = at;
  to.data(at, end);
}

function dissectRecord(to: Dissection, layer: Field, start: number, end: number): string[] {
  const { bytes } = to;
  const type = u8(bytes, start);
  const kind = nameOf("RECORD", type) ?? "";
  const record = layer.add("tls.record", "Record", start, end, "", kind);
  const table = "content_type:Type:1=RECORD;version:Version:2x=TLS;length:Length:2";
  const body = lay(to, record, "tls.record", start, end, table);
  const length = u16(bytes, start + 3);
  let said = [kind];
  if (type === 21) {
    // An encrypted alert is longer.
    if (length === 2 && body + 2 <= end) {
      lay(
        to,
        record,
        "tls.alert_message",
        body,
        end,
        "level:Level:1=LEVEL;desc:Description:1=ALERT",
      );
      const level = nameOf("LEVEL", u8(bytes, body)) ?? "Unknown";
      const reason = nameOf("ALERT", u8(bytes, body + 1)) ?? "Unknown";
      said = [`Alert (Level: ${level}, Description: ${reason})`];
    } else said = ["Encrypted Alert"];
  } else if (type === 22) said = addHandshakes(to, record, body, end, body + length);
  record.text = said.join(", ");
  return said;
}

/** Add the handshakes of a record that goes on to `promised`, which may be beyond the segment. */
function addHandshakes(
  to: Dissection,
  record: Field,
  start: number,
  end: number,
  promised: number,
): string[] {
  const { bytes } = to;
  const said: string[] = [];
  for (let at = start; at + 4 <= end && said.length < MAX_ITEMS; ) {
    const type = u8(bytes, at);
    const kind = nameOf("HANDSHAKE", type);
    const stop = at + 4 + u24(bytes, at + 1);
    // An encrypted handshake looks like any number.
    if (kind === undefined || stop > promised) {
      said.push("Encrypted Handshake Message");
      break;
    }
    if ((type === 1 || type === 2) && stop <= end && !isHello(bytes, at + 4, stop, type)) {
      to.spoil(`${kind} ends too early`, at, stop, false);
    }
    const handshake = record.add("tls.handshake", "Handshake", at, Math.min(stop, end), "", kind);
    lay(to, handshake, "tls.handshake", at, end, "type:Type:1=HANDSHAKE;length:Length:3");
    let text = kind;
    if ((type === 1 || type === 2) && at + 6 <= Math.min(stop, end)) {
      const server = addHello(to, handshake, at + 4, Math.min(stop, end), type === 1);
      if (server) {
        text += ` (SNI=${server})`;
        handshake.text += `, ${server}`;
      }
    }
    said.push(text);
    at = stop;
  }
  return said.length > 0 ? said : ["Encrypted Handshake Message"];
}

/**
 * Say whether a hello has as much as its lengths promise, to the byte; one without extensions may
 * end before them. That of a client of DTLS has a cookie, too.
 */
export function isHello(
  bytes: Uint8Array,
  start: number,
  end: number,
  type: number,
  hasCookie = false,
): boolean {
  const sizes = type === 2 ? [1] : hasCookie ? [1, 1, 2, 1] : [1, 2, 1];
  let at = start + 34;
  for (const size of sizes) {
    if (at + size > end) return false;
    at += size + (size === 1 ? u8(bytes, at) : u16(bytes, at));
  }
  if (type === 2) at += 3;
  if (at + 2 > end) return at === end;
  const stop = at + 2 + u16(bytes, at);
  for (at += 2; stop <= end && at + 4 <= stop; ) at += 4 + u16(bytes, at + 2);
  return at === stop;
}

/** Extensions that are lists: the bytes before them, and what they are lists of. */
const LISTS: Readonly<Record<number, [skip: number, table: string]>> = {
  10: [2, "extensions_supported_group:Group:2x=GROUP"],
  13: [2, "sig_hash_alg:Algorithm:2x"],
  16: [2, "extensions_alpn_str:Protocol:1p"],
  43: [1, "extensions.supported_version:Version:2x=TLS"],
};

/** Add what a hello says, as far as it is there; return the server's name, "" without one. */
function addHello(
  to: Dissection,
  layer: Field,
  start: number,
  end: number,
  client: boolean,
): string {
  const { bytes } = to;
  const has = (at: number): boolean => at <= end;
  const add = (at: number, table: string): number =>
    lay(to, layer, "tls.handshake", at, end, table);
  let at = add(start, "version:Version:2x=TLS");
  if (!has(at + 33)) return "";
  const session = u8(bytes, at + 32);
  if (!has(at + 33 + session + 2)) return "";
  at = add(
    at,
    `random:Random:32o;session_id_length:Session ID length:1;session_id:Session ID:${session}o`,
  );
  if (client) {
    at = add(at, "cipher_suites_length:Cipher suites:2~bytes");
    const stop = at + u16(bytes, at - 2);
    if (!has(stop + 1)) return "";
    const suites = layer.add("tls.handshake.ciphersuites", "Cipher suites", at, stop, "");
    suites.text = `${(stop - at) >> 1} offered`;
    while (at + 2 <= stop && !isFull(suites, at, stop)) {
      at = lay(to, suites, "tls.handshake", at, stop, "ciphersuite:Cipher suite:2x=CIPHER");
    }
    at = stop;
    const methods = u8(bytes, at);
    if (!has(at + 1 + methods + 2)) return "";
    at = add(at, "comp_methods_length:Compression methods:1");
    for (let i = 0; i < methods; i++) at = add(at, "comp_method:Compression method:1");
  } else {
    if (!has(at + 3)) return "";
    at = add(at, "ciphersuite:Cipher suite:2x=CIPHER;comp_method:Compression method:1");
  }
  if (!has(at + 2)) return "";
  let server = "";
  const stop = Math.min(end, at + 2 + u16(bytes, at));
  for (at = add(at, "extensions_length:Extensions:2~bytes"); at + 4 <= stop; ) {
    if (isFull(layer, at, stop)) break;
    const type = u16(bytes, at);
    const body = at + 4;
    at = body + u16(bytes, at + 2);
    if (at > stop) break;
    const name = nameOf("EXTENSION", type) ?? (type % 0x1010 === 0x0a0a ? "GREASE" : "Unknown");
    const extension = layer.add("", `Extension ${name}`, body - 4, at, "", `${at - body} bytes`);
    const inner = (start: number, table: string): number =>
      lay(to, extension, "tls.handshake", start, at, table);
    inner(body - 4, "extension.type:Type:2=EXTENSION;extension.len:Length:2");
    if (type === 0 && at > body + 5) {
      server = utf8(bytes, body + 5, Math.min(at, body + 5 + u16(bytes, body + 3)));
      extension.add("tls.handshake.extensions_server_name", "Server name", body + 5, at, server);
      extension.text = server;
    } else {
      const [skip = 0, table = ""] = LISTS[type] ?? [];
      // A server answers with one version, without a length before it.
      let from = body + (type === 43 && !client ? 0 : skip);
      while (table && from < at && !isFull(extension, from, at)) from = inner(from, table);
    }
    if (extension.fields.length > 2 && type !== 10 && type !== 13) {
      extension.text = extension.fields
        .slice(2)
        .map(({ text }) => text)
        .join(", ");
    }
  }
  return server;
}
