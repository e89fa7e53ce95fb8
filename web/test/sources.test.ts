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

test("only the tabs set the address", () => {
  const setting = /location\.hash\s*=[^=]|history\.pushState/;
  const files = Object.entries(SOURCES).filter(([, source]) => setting.test(source));
  expect(files.map(([file]) => file)).toEqual(["../src/views/tabs.ts"]);
});
