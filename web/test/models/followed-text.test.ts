import { describe, expect, it } from "vitest";
import type { Chunk, HttpMessage } from "../../src/analysis/conversation";
import {
  bodyOf,
  hexText,
  isText,
  MAX_INFLATED,
  placesOf,
  plainText,
  shownChunks,
} from "../../src/models/followed-text";

const utf8 = (text: string) => new TextEncoder().encode(text);

async function deflated(bytes: Uint8Array, format: CompressionFormat): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const packed = stream.pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function message(body: Uint8Array, encoding: string): HttpMessage {
  const origin = { fromHost: false, row: 0, timeNs: 0n, parts: [] };
  return { side: 1, ...origin, head: "", body, encoding, fault: "" };
}

function chunk(side: 0 | 1, text: string): Chunk {
  const bytes = utf8(text);
  const parts = Array.from(bytes, (_, at) => ({ at, row: at, timeNs: 0n }));
  return { side, fromHost: side === 0, row: 0, timeNs: 0n, parts, missing: 0, bytes };
}

describe("text", () => {
  it("is UTF-8, with a dot for what cannot be seen", () => {
    expect(plainText(utf8("münch\r\nen\u202e\u0007"))).toBe("münch\nen..");
  });

  it("is ASCII where the bytes are no text", () => {
    const bytes = Uint8Array.of(0, 1, 2, 65, 0xc3, 0xbc);
    expect(isText(bytes)).toBe(false);
    expect(plainText(bytes)).toBe("...A..");
  });

  it("is found whatever its case, up to a bound", () => {
    expect(placesOf("Ab ab AB", "ab", 10)).toEqual([0, 3, 6]);
    expect(placesOf("Ab ab AB", "ab", 2)).toEqual([0, 3]);
    expect(placesOf("ab", "", 9)).toEqual([]);
    expect(placesOf("\u0130STANBUL, \u0130zmir", "izmir", 9)).toEqual([10]);
  });
});

describe("hexadecimal digits", () => {
  it("have an offset before and characters behind", () => {
    expect(hexText(utf8("hello"), 16)).toBe(`00000010  68 65 6c 6c 6f ${" ".repeat(33)} hello`);
  });
});

describe("what is shown", () => {
  it("ends at its bound, and says what is left", () => {
    const { chunks, left } = shownChunks([chunk(0, "abc"), chunk(1, "def")], null, 4);
    expect(chunks.map(({ bytes }) => bytes.length)).toEqual([3, 1]);
    expect(left).toBe(2);
    expect(chunks.map(({ parts }) => parts.length)).toEqual([3, 1]);
  });

  it("can be that of one end", () => {
    expect(shownChunks([chunk(0, "abc"), chunk(1, "def")], 1).chunks).toHaveLength(1);
  });
});

describe("bodies", () => {
  it.each(["gzip", "deflate"] as const)("are unpacked from %s", async (format) => {
    const body = await deflated(utf8("hello"), format);
    const { bytes, fault } = await bodyOf(message(body, format));
    expect(new TextDecoder().decode(bytes)).toBe("hello");
    expect(fault).toBe("");
  });

  it("of deflate may lack its frame, as some servers send it", async () => {
    const body = await deflated(utf8("hello"), "deflate-raw");
    expect(new TextDecoder().decode((await bodyOf(message(body, "deflate"))).bytes)).toBe("hello");
  });

  it("that end too early are shown as far as they go", async () => {
    const body = await deflated(utf8("hello ".repeat(5000)), "gzip");
    const { fault } = await bodyOf(message(body.subarray(0, body.length - 9), "gzip"));
    expect(fault).not.toBe("");
  });

  it("that grow without end are cut", async () => {
    const body = await deflated(new Uint8Array(MAX_INFLATED * 2), "gzip");
    const { bytes, fault } = await bodyOf(message(body, "gzip"));
    expect(bytes).toHaveLength(MAX_INFLATED);
    expect(fault).toContain("first 4 MiB");
  });

  it("of a way that nobody knows stay as they are", async () => {
    const { bytes, fault } = await bodyOf(message(utf8("abc"), "snappy"));
    expect(bytes).toEqual(utf8("abc"));
    expect(fault).toContain("snappy");
  });
});
