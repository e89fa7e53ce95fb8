import { describe, expect, it } from "vitest";
import { causeText, lossesOf, lossSummary } from "../../src/models/losses";

/** Every cause that the API counts, reasons of `refused` and `rejected` included. */
const CAUSES = [
  ...["ring", "truncated", "unclaimed", "queue", "ended", "ring_full", "failed"],
  ...["link_down", "host", "too_short", "too_long", "bad_version", "refused", "rejected"],
];

describe("the causes of loss", () => {
  it("are all said in words of their own", () => {
    for (const cause of CAUSES)
      expect(causeText(cause), cause).not.toBe(cause.replaceAll("_", " "));
  });

  it("are legible where this page does not know them", () => {
    expect(causeText("eaten_by_a_grue")).toBe("eaten by a grue");
  });

  it("come one by one, with the reasons of those that have any", () => {
    const lost = { ring: null, ended: 3, refused: { link_down: 1, host: 2 }, rejected: {} };
    expect(lossesOf(lost)).toEqual([
      ["ring", null],
      ["ended", 3],
      ["link_down", 1],
      ["host", 2],
    ]);
  });
});

it("does not count as lost what a client left in its queue", () => {
  expect(lossSummary({ ended: 3, unclaimed: 2, queue: 1 })).toEqual({ lost: 1, unclaimed: 5 });
});
