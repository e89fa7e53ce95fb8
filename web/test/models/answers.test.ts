import { beforeEach, describe, expect, it } from "vitest";
import { AnswersModel } from "../../src/models/answers";
import { DEFAULT_BOUNDS, PacketRing } from "../../src/models/packet-ring";
import { parseAddress } from "../../src/packet/address";
import { echoRequest, repaired, udp } from "../../src/packet/build";
import { pack, unpack } from "../../src/wire/batch";

const HOST = parseAddress("10.6.7.7") as Uint8Array;
const PEER = parseAddress("10.6.7.8") as Uint8Array;
const data = new Uint8Array();

describe("the answers", () => {
  let ring: PacketRing;
  let answers: AnswersModel;

  beforeEach(() => {
    ring = new PacketRing(DEFAULT_BOUNDS);
    answers = new AnswersModel();
  });

  /** Let a packet come, at a time in milliseconds. */
  function come(packet: Uint8Array, injected: boolean, at: number): void {
    for (const batch of unpack(pack([packet]))) {
      ring.append({ ...batch, injected, timeNs: BigInt(at) * 1_000_000n } as typeof batch);
    }
    answers.look(ring);
  }

  const ping = (sequence: number) =>
    echoRequest({ source: PEER, destination: HOST, identifier: 1, sequence, data });
  /** Make the reply of a request. */
  const reply = (sequence: number) =>
    repaired(
      echoRequest({ source: HOST, destination: PEER, identifier: 1, sequence, data }).with(20, 0),
    );

  it("are counted with the time since their request", () => {
    answers.await(ping(1), ring);
    come(ping(1), true, 10);
    come(ping(2), true, 20);
    come(reply(1), false, 25);
    expect(answers.found.value).toEqual({ count: 1, row: 2, delay: 15 });
  });

  it("are not pings that the host sends by itself", () => {
    answers.await(ping(1), ring);
    come(reply(9), false, 25);
    expect(answers.found.value?.count).toBe(0);
  });

  it("of UDP come from the port that was asked", () => {
    const sent = udp({
      source: PEER,
      destination: HOST,
      sourcePort: 40000,
      destinationPort: 53,
      data,
    });
    answers.await(sent, ring);
    come(sent, true, 1);
    come(
      udp({ source: HOST, destination: PEER, sourcePort: 53, destinationPort: 40000, data }),
      false,
      3,
    );
    come(
      udp({ source: HOST, destination: PEER, sourcePort: 54, destinationPort: 40000, data }),
      false,
      4,
    );
    expect(answers.found.value).toMatchObject({ count: 1, delay: 2 });
  });

  it("end with the packets of this adapter", () => {
    answers.await(ping(1), ring);
    answers.look(new PacketRing(DEFAULT_BOUNDS));
    come(ping(1), true, 1);
    come(reply(1), false, 2);
    expect(answers.found.value?.count).toBe(0);
  });
});
