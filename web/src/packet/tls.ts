/** TLS records and what a ClientHello says in the clear (RFC 8446). */

import { ascii, hex, u8, u16, u24 } from "./bytes";
import { type Dissection, type Field, MAX_ITEMS } from "./dissection";

const RECORDS: Readonly<Record<number, string>> = {
  20: "Change Cipher Spec",
  21: "Alert",
  22: "Handshake",
  23: "Application Data",
};
const HANDSHAKES: Readonly<Record<number, string>> = {
  0: "Hello Request",
  1: "Client Hello",
  2: "Server Hello",
  4: "New Session Ticket",
  8: "Encrypted Extensions",
  11: "Certificate",
  12: "Server Key Exchange",
  13: "Certificate Request",
  14: "Server Hello Done",
  15: "Certificate Verify",
  16: "Client Key Exchange",
  20: "Finished",
};
const VERSIONS: Readonly<Record<number, string>> = {
  768: "SSL 3.0",
  769: "TLS 1.0",
  770: "TLS 1.1",
  771: "TLS 1.2",
  772: "TLS 1.3",
};
const MAX_RECORD = 16384 + 256;

/** Say whether a segment begins with a TLS record. */
export function isTls(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start >= 5 &&
    u8(bytes, start) in RECORDS &&
    u8(bytes, start + 1) === 3 &&
    u8(bytes, start + 2) <= 4 &&
    u16(bytes, start + 3) <= MAX_RECORD
  );
}

export function dissectTls(to: Dissection, start: number, end: number): void {
  const said: string[] = [];
  to.protocol = "TLS";
  for (let at = start; isTls(to.bytes, at, end); ) {
    if (said.length === MAX_ITEMS) {
      to.data(at, end);
      said.push("…");
      break;
    }
    const length = u16(to.bytes, at + 3);
    const stop = Math.min(end, at + 5 + length);
    said.push(dissectRecord(to, at, stop));
    at = stop;
  }
  to.info = said.join(", ");
}

function dissectRecord(to: Dissection, start: number, end: number): string {
  const { bytes } = to;
  const type = u8(bytes, start);
  const name = RECORDS[type] ?? "";
  const version = u16(bytes, start + 1);
  const layer = to.layer("tls", "Transport Layer Security", start, end);
  layer.add("tls.record.content_type", "Record", start, start + 1, type, `${name} (${type})`);
  layer.add(
    "tls.record.version",
    "Version",
    start + 1,
    start + 3,
    version,
    VERSIONS[version] ?? hex(version, 4),
  );
  layer.add("tls.record.length", "Length", start + 3, start + 5, u16(bytes, start + 3));
  layer.text = name;
  if (type !== 22 || start + 9 > end) return name;
  const handshake = u8(bytes, start + 5);
  const kind = HANDSHAKES[handshake];
  // An encrypted handshake looks like any number.
  if (kind === undefined || u24(bytes, start + 6) + 4 > u16(bytes, start + 3)) {
    return (layer.text = "Encrypted Handshake Message");
  }
  layer.add(
    "tls.handshake.type",
    "Handshake",
    start + 5,
    start + 6,
    handshake,
    `${kind} (${handshake})`,
  );
  layer.text = kind;
  if (handshake !== 1 && handshake !== 2) return kind;
  const server = addHello(layer, bytes, start + 9, end, handshake === 1);
  if (!server) return kind;
  layer.text += `, ${server}`;
  return `${kind} (SNI=${server})`;
}

/** Add what a hello says; return the server's name, "" without one. */
function addHello(
  layer: Field,
  bytes: Uint8Array,
  start: number,
  end: number,
  client: boolean,
): string {
  const version = u16(bytes, start);
  layer.add(
    "tls.handshake.version",
    "Hello version",
    start,
    start + 2,
    version,
    VERSIONS[version] ?? hex(version, 4),
  );
  let at = start + 35 + u8(bytes, start + 34); // behind the session id
  if (client) {
    const ciphers = u16(bytes, at);
    layer.add(
      "tls.handshake.cipher_suites_length",
      "Cipher suites",
      at,
      at + 2 + ciphers,
      ciphers,
      `${ciphers / 2} offered`,
    );
    at += 2 + ciphers;
    at += 1 + u8(bytes, at);
  } else {
    layer.add(
      "tls.handshake.ciphersuite",
      "Cipher suite",
      at,
      at + 2,
      u16(bytes, at),
      hex(u16(bytes, at), 4),
    );
    at += 3;
  }
  let server = "";
  const stop = Math.min(end, at + 2 + u16(bytes, at));
  for (at += 2; at + 4 <= stop; ) {
    const type = u16(bytes, at);
    const length = u16(bytes, at + 2);
    const body = at + 4;
    if (body + length > stop) break;
    if (type === 0 && length > 5) {
      server = ascii(bytes, body + 5, Math.min(body + length, body + 5 + u16(bytes, body + 3)));
      layer.add(
        "tls.handshake.extensions_server_name",
        "Server name",
        body + 5,
        body + length,
        server,
      );
    }
    at = body + length;
  }
  return server;
}
