/** Something that is done every second while it is shown. */

/** Milliseconds between two turns. */
const PERIOD = 1000;

export class Polling {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn: (() => Promise<void>) | null = null;

  /** Take a turn now, and one every second until `rest`; none while the page is hidden. */
  begin(hidden: () => boolean, action: () => unknown): void {
    this.rest();
    const turn = async () => {
      if (!hidden()) await action();
      if (this.turn === turn) this.timer = setTimeout(turn, PERIOD);
    };
    this.turn = turn;
    void turn();
  }

  rest(): void {
    clearTimeout(this.timer);
    this.turn = null;
  }
}
