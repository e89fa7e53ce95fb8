/** How the files of the page depend on each other. */

import { expect, test } from "vitest";

const SOURCES: Record<string, string> = import.meta.glob("../src/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});
const FROM = /^(?:import|export)\b[^;]*?\bfrom\s+"(\.[^"]+)"/gm;

/** Return the files that a file imports, types included. */
function imports(file: string, source: string): string[] {
  const folder = new URL(file, "file:///src/");
  return [...source.matchAll(FROM)].map(([, name = ""]) => new URL(name, folder).pathname);
}

/** Return a circle of imports, from a file back to it; nothing if there is none. */
function circle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const way: string[] = [];
  const walk = (file: string): string[] => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return [];
    way.push(file);
    for (const next of graph.get(file) ?? []) {
      const found = walk(next);
      if (found.length > 0) return found;
    }
    way.pop();
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const found = walk(file);
    if (found.length > 0) return found;
  }
  return [];
}

function graphOf(sources: Readonly<Record<string, string>>): Map<string, string[]> {
  return new Map(
    Object.entries(sources).map(([file, source]) => {
      const name = new URL(file, "file:///src/").pathname.replace(/\.tsx?$/, "");
      return [name, imports(file, source)];
    }),
  );
}

test("the sources are there", () => {
  expect(Object.keys(SOURCES).length).toBeGreaterThan(90);
});

test("no file needs itself over others", () => {
  expect(circle(graphOf(SOURCES))).toEqual([]);
});

test("a circle is found, and one of types too", () => {
  const a = 'import {\n  type B,\n} from "./b";\n';
  const b = 'export { c } from "./deep/c";\n';
  const sources = { "/a.ts": a, "/b.tsx": b, "/deep/c.ts": 'import { a } from "../a";\n' };
  expect(circle(graphOf(sources))).toEqual(["/a", "/b", "/deep/c", "/a"]);
  expect(circle(graphOf({ ...sources, "/deep/c.ts": "" }))).toEqual([]);
});

test("one file reads and writes the address; the sign-in takes its key out of it", () => {
  const address = /location\.hash\b|history\.(?:push|replace)State|\bhash\b.*= window\.location/;
  const files = Object.entries(SOURCES).filter(([, source]) => address.test(source));
  expect(files.map(([file]) => file).sort()).toEqual([
    "../src/api/key.ts",
    "../src/main.tsx",
    "../src/views/address.ts",
  ]);
});

/** What each folder may import: the floors that main.tsx describes. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  packet: [],
  wire: [],
  filter: ["packet"],
  analysis: ["packet"],
  worker: ["packet", "wire", "filter", "analysis"],
  api: ["wire"],
  models: ["api", "wire", "packet", "filter", "analysis", "worker"],
  views: ["models", "api", "packet", "filter", "analysis"],
};

test("a folder imports the floors below it", () => {
  for (const [file, source] of Object.entries(SOURCES)) {
    const own = file.split("/")[2] ?? "";
    const allowed = [own, ...(BELOW[own] ?? Object.keys(BELOW))];
    for (const other of imports(file, source)) {
      expect(allowed, `${file} imports ${other}`).toContain(other.split("/")[2]);
    }
  }
});

test("a view never fetches, a model never touches the document, one file opens sockets", () => {
  const using = (words: RegExp) =>
    Object.entries(SOURCES).flatMap(([file, source]) => (words.test(source) ? [file] : []));
  expect(using(/\bfetch\(/)).toEqual(["../src/api/client.ts"]);
  expect(using(/new WebSocket\(/)).toEqual(["../src/api/socket.ts"]);
  const touching = using(/\b(?:document|window)\.\w/);
  expect(touching.filter((file) => file.startsWith("../src/models/"))).toEqual([]);
});
