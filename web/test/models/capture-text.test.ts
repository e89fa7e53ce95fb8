import { describe, expect, it } from "vitest";
import contract from "../../../openapi/openapi.json";
import type { StopReason } from "../../src/api/types";
import * as text from "../../src/models/capture-text";
import { capture, GUID } from "../examples";

const plain = (words: string) => words.replaceAll("\u00a0", " ");

describe("a capture in words", () => {
  it("says why it has ended, for every reason of the contract", () => {
    const reasons = contract.components.schemas.StopReason.enum as StopReason[];
    const words = reasons.map((reason) => text.reasonText(capture({ reason })));
    expect(new Set(words).size).toBe(reasons.length);
    expect(words.every(Boolean)).toBe(true);
    expect(text.reasonText(capture())).toBe("");
  });

  it("says whose packets it has", () => {
    const nameOf = (guid: string) => (guid === GUID ? "OfficeNet" : guid);
    expect(text.adaptersText(capture(), nameOf)).toBe("all");
    expect(text.adaptersText(capture({ pool: "WireGuard" }), nameOf)).toBe("all of pool WireGuard");
    expect(text.adaptersText(capture({ adapters: [GUID, "gone"] }), nameOf)).toBe(
      "OfficeNet, gone",
    );
  });

  it("says when it ends, begins another file, and what it keeps", () => {
    expect(text.stopText({})).toBe("when you stop it");
    expect(plain(text.stopText({ packets: 1000, bytes: 2 ** 30, seconds: 600 }))).toBe(
      "after 1,000 packets, 1 GiB or 10 min",
    );
    expect(text.rotateText({})).toBe("never");
    expect(plain(text.rotateText({ seconds: 1.5 }))).toBe("every 1.5 s");
    expect(text.keepText({})).toBe("all");
    expect(plain(text.keepText({ files: 5, bytes: 2 ** 20 }))).toBe(
      "the last 5 files, at most the last 1 MiB",
    );
  });

  it("says what it waits for", () => {
    const trigger = { on: "event", event: "session.failed", before: 30, after: 5 } as const;
    expect(plain(text.triggerText(trigger))).toBe(
      "the event session.failed, from 30 s before it, until 5 s after it",
    );
    expect(text.triggerText({ on: "filter", filter: "icmp" })).toBe("a packet matches icmp");
  });
});
