import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PacketStream, type StreamState } from "../../src/api/packet-stream";
import { pack } from "../../src/wire/batch";
import { eachWithService, newClient } from "../fake-service";

const URL = "ws://127.0.0.1:9886";
const HELLO = { type: "hello", session: "a", next_sequence: { received: 0, injected: 0 } };

describe("the packet stream", () => {
  const service = eachWithService();
  let states: StreamState[] = [];
  let packets = 0;
  let stream: PacketStream;
  let unauthorized = 0;

  beforeEach(() => {
    vi.useFakeTimers();
    states = [];
    packets = 0;
    unauthorized = 0;
    const client = newClient();
    client.onUnauthorized = () => unauthorized++;
    stream = new PacketStream(
      client,
      { session: "a", snaplen: 96 },
      {
        onBatches: (batches) => {
          for (const batch of batches) packets += batch.count;
        },
        onControl: () => undefined,
        onState: (state) => states.push(state),
      },
    );
  });
  afterEach(() => {
    stream.close();
    vi.useRealTimers();
  });

  const names = () => states.map((state) => state.name);

  it("asks for both directions and a time for each packet, cut as wanted, in batches", () => {
    expect([service().socket.url, service().socket.protocols]).toEqual([
      `${URL}/v1/sessions/a/packets?direction=both&times=packet&snaplen=96`,
      ["v1.batch.wintun-api", "key.wintun-api.dGhlLWtleQ"],
    ]);
  });

  it("is live with the hello, and takes batches", () => {
    service().socket.accept();
    service().socket.say(HELLO);
    service().socket.say(pack([Uint8Array.of(0x45), Uint8Array.of(0x60)]));
    expect([names(), packets]).toEqual([["connecting", "syncing", "live"], 2]);
  });

  it("comes back after a loss", async () => {
    service().socket.end(1006);
    await vi.advanceTimersByTimeAsync(500);
    expect([names(), service().sockets.length]).toEqual([["connecting", "lost", "connecting"], 2]);
  });

  it("comes back at once when it is told to", () => {
    service().socket.end(1006);
    stream.retry();
    expect(service().sockets.length).toBe(2);
  });

  it("stays as it is when it is told to come back while it is there", () => {
    stream.retry();
    expect(service().sockets.length).toBe(1);
  });

  it("ends where coming back is of no use, with the reason", async () => {
    service().socket.end(4009);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states.at(-1)).toEqual({
      name: "ended",
      reason: "The session has ended.",
      again: false,
    });
    expect(service().sockets.length).toBe(1);
  });

  it("stays away when an administrator ended it, and may be opened again", async () => {
    service().socket.end(4002, "An administrator did it.");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states.at(-1)).toEqual({
      name: "ended",
      reason: "An administrator did it.",
      again: true,
    });
    expect(service().sockets.length).toBe(1);
  });

  it("ends with its token, and says so to the page", async () => {
    service().socket.accept();
    service().socket.end(4001, "The token was revoked.");
    await vi.advanceTimersByTimeAsync(60_000);
    expect([states.at(-1)?.name, unauthorized, service().sockets.length]).toEqual(["ended", 1, 1]);
  });

  it("refuses a frame that it cannot read, and comes back", async () => {
    service().socket.accept();
    service().socket.say(new ArrayBuffer(5));
    expect([service().socket.closed, states.at(-1)?.name]).toEqual([4010, "lost"]);
    await vi.advanceTimersByTimeAsync(500);
    expect(service().sockets.length).toBe(2);
  });

  it("says nothing any more once it is closed", async () => {
    const { socket } = service();
    stream.close();
    socket.accept();
    socket.say(HELLO);
    socket.end(1006);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(names()).toEqual(["connecting"]);
  });
});
