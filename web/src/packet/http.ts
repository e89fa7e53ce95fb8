/** The head of an HTTP/1 message (RFC 9112). */

import { ascii, findText, u8 } from "./bytes";
import type { Dissection } from "./dissection";

const STARTS = [
  "GET ",
  "POST ",
  "PUT ",
  "HEAD ",
  "DELETE ",
  "OPTIONS ",
  "PATCH ",
  "CONNECT ",
  "TRACE ",
  "HTTP/1.",
];
const LINE_END = Uint8Array.of(13, 10);
const MAX_LINES = 64;

export function isHttp(bytes: Uint8Array, start: number, end: number): boolean {
  return STARTS.some((text) => {
    if (start + text.length > end) return false;
    for (let i = 0; i < text.length; i++) {
      if (u8(bytes, start + i) !== text.charCodeAt(i)) return false;
    }
    return true;
  });
}

export function dissectHttp(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  to.protocol = "HTTP";
  const layer = to.layer("http", "Hypertext Transfer Protocol", start, end);
  let at = start;
  for (let line = 0; line < MAX_LINES; line++) {
    const found = findText(bytes, at, end, LINE_END);
    const stop = found < 0 ? end : found;
    const text = ascii(bytes, at, stop);
    if (line === 0) {
      to.info = text;
      layer.text = text;
      addFirstLine(to, text, at, stop);
    } else if (text !== "") {
      const colon = text.indexOf(":");
      const name = text.slice(0, colon).trim();
      const value = text.slice(colon + 1).trim();
      if (colon > 0)
        layer.add(`http.${name.toLowerCase().replaceAll("-", "_")}`, name, at, stop, value);
    }
    if (found < 0 || text === "") {
      to.data(found < 0 ? end : found + 2, end);
      return;
    }
    at = found + 2;
  }
}

function addFirstLine(to: Dissection, text: string, start: number, end: number): void {
  const layer = to.layers.at(-1);
  const [first = "", second = "", third = ""] = text.split(" ");
  if (text.startsWith("HTTP/")) {
    layer?.add(
      "http.response.code",
      "Status",
      start + first.length + 1,
      end,
      Number(second),
      text.slice(first.length + 1),
    );
    return;
  }
  layer?.add("http.request.method", "Method", start, start + first.length, first);
  const uri = start + first.length + 1;
  layer?.add("http.request.uri", "Target", uri, uri + second.length, second);
  layer?.add("http.request.version", "Version", end - third.length, end, third);
}
