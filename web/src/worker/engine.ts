/** The worker's side: its own ring with the page's row numbers, and what is asked of its packets. */

import { compileFilter } from "../filter/parser";
import { Headers } from "../packet/headers";
import type { Port, Reply, Request } from "./messages";
import { LOSS, PacketRing } from "./ring";
import { Scan } from "./scan";

/** Milliseconds of looking through a filter before the next message is taken. */
const TURN = 8;

export class Engine {
  private ring = new PacketRing({ packets: 1, bytes: 0 });
  private ringNumber = -1;
  private filter = 0;
  private text = "";
  private scan: Scan | null = null;
  private readonly headers = new Headers();
  /** Asks for the next turn, behind the messages that wait. */
  private readonly turn = new MessageChannel();
  private isTurning = false;

  constructor(private readonly page: Port<Reply, Request>) {
    this.turn.port1.onmessage = () => this.advance();
    page.onmessage = ({ data }) => this.take(data);
    page.postMessage({ type: "ready" });
  }

  private take(request: Request): void {
    switch (request.type) {
      case "open":
        this.ring = new PacketRing(request.bounds, request.row);
        this.ringNumber = request.ring;
        this.restart();
        return;
      case "feed":
        for (const item of request.items) this.ring.take(item);
        this.request();
        return;
      case "hold":
        this.ring.hold = request.hold;
        return;
      case "clear":
        this.ring.clear();
        this.restart();
        return;
      case "filter":
        this.filter = request.filter;
        this.text = request.text;
        this.restart();
        return;
      case "notes":
        this.page.postMessage({
          type: "notes",
          ring: this.ringNumber,
          notes: request.rows.map((row) => ({ row, prefix: "", fields: [] })),
        });
        return;
      case "watch":
        return;
      case "follow":
        this.page.postMessage({ type: "unfollowed", id: request.id, message: "Not yet." });
        return;
    }
  }

  /** Look at every row again. */
  private restart(): void {
    const test = compileFilter(this.text);
    const { ring, headers } = this;
    this.scan =
      test &&
      new Scan(ring.first, (row) => {
        if (ring.kind(row) === LOSS) return true;
        ring.read(row, headers);
        return test(headers);
      });
    this.request();
  }

  private request(): void {
    if (this.isTurning) return;
    this.isTurning = true;
    this.turn.port2.postMessage(null);
  }

  private advance(): void {
    this.isTurning = false;
    const { ring, scan } = this;
    const stop = performance.now() + TURN;
    scan?.extend(ring.first, ring.end);
    const found = scan?.run(() => performance.now() > stop) ?? [];
    const pending = scan?.pending ?? 0;
    const { filter, ringNumber } = this;
    this.page.postMessage(
      { type: "seen", ring: ringNumber, end: ring.end, filter, pending, found },
      found.map((rows) => rows.buffer as ArrayBuffer),
    );
    if (pending > 0) this.request();
  }
}
