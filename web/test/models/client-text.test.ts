import { expect, it } from "vitest";
import * as text from "../../src/models/client-text";
import { connected } from "../examples";

it("says what a client has open, and in which direction", () => {
  expect(text.kindText(connected())).toBe("Packets, both directions");
  expect(text.kindText(connected({ kind: "events", direction: null }))).toBe("Events");
});

it("says with which token: by its name, else by what it is", () => {
  expect(text.tokenText(connected())).toBe("grafana");
  expect(text.tokenText(connected({ token_label: "" }))).toBe("9f86d081");
  expect(text.tokenText(connected({ token: "admin", token_label: "" }))).toBe("admin token");
});

it("says whether the client is told why it ends", () => {
  const told = "It is told that an administrator did it.";
  expect(text.endText(connected({ kind: "sse", subprotocol: null }))).toBe(told);
  expect(text.endText(connected({ kind: "capture" }))).toBe(told);
  expect(text.endText(connected({ kind: "capture", subprotocol: null }))).toBe(
    "A client that reads over HTTP only sees that its stream ends, and is not told why.",
  );
});

it("writes an address with its port", () => {
  expect(text.addressText(connected())).toBe("127.0.0.1:53412");
  expect(text.addressText(connected({ address: "::1" }))).toBe("[::1]:53412");
  expect(text.addressText(connected({ address: null, port: null }))).toBe("no address");
});

it("says what waits, and what happens when the queue is full", () => {
  expect(text.queueText(connected())).toBe("3 of 16,384, 2\u00a0KiB");
  expect(text.policyText(connected())).toBe("drops the oldest when full");
  expect(text.queueText(connected({ queue: null }))).toBe("");
});

it("says what was lost, by cause", () => {
  const client = connected({ lost: { queue: 12, rejected_too_short: 3 } });
  expect(text.lostCount(client)).toBe(15);
  expect(text.lostText(client)).toBe("12: a client's queue was full; 3: shorter than an IP header");
});
