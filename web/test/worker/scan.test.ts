import { describe, expect, it } from "vitest";
import { Scan } from "../../src/worker/scan";

const never = () => false;
const flat = (parts: readonly Float64Array[]) => parts.flatMap((part) => [...part]);

describe("a scan", () => {
  it("looks at the newest rows first, each once", () => {
    const asked: number[] = [];
    const scan = new Scan(0, (row) => asked.push(row) > 0);
    scan.extend(0, 300);
    const [newest = new Float64Array()] = scan.run(() => true);
    expect([newest[0], newest.length, scan.pending]).toEqual([172, 128, 172]);
    scan.extend(0, 310);
    expect([...(scan.run(() => true)[0] ?? [])]).toEqual(
      Array.from({ length: 10 }, (_, i) => 300 + i),
    );
    scan.run(never);
    expect([scan.pending, asked.length, new Set(asked).size]).toEqual([0, 310, 310]);
  });

  it("never looks at a row that went", () => {
    const scan = new Scan(0, () => true);
    scan.extend(0, 500);
    scan.run(() => true);
    scan.extend(450, 510);
    expect(scan.pending).toBe(10);
    expect(Math.min(...flat(scan.run(never)))).toBe(500);
  });

  it("returns those that pass, each part in order", () => {
    const scan = new Scan(10, (row) => row % 100 === 0);
    scan.extend(10, 401);
    expect(flat(scan.run(never)).sort((a, b) => a - b)).toEqual([100, 200, 300, 400]);
  });
});
