/** One conversation, as it is kept. */

import type { HttpFraming } from "../packet/http-framing";

/** The window scale of an end that has said none yet. */
export const UNKNOWN = -1;

/** What one end of a TCP connection has sent, as far as it was seen. */
export class Side {
  /** The sequence number that counts as 0. */
  base = 0;
  hasBase = false;
  /** Behind the highest byte sent. */
  next = 0;
  hasNext = false;
  nextRow = 0;
  nextTime = 0;
  /** Up to here there is no hole. */
  whole = 0;
  hasWhole = false;
  acknowledged = 0;
  acknowledgedTime = 0;
  /** The newest row whose acknowledgement was a new one. */
  advancedRow = 0;
  duplicates = 0;
  window = -1;
  scale = UNKNOWN;
  /** The window came with SYN, where it is never scaled. */
  isFirstWindow = true;
  /** The marks of its newest segment. */
  marks = 0;
  /** Its unacknowledged segments, the newest first. */
  segments = -1;
  segmentCount = 0;
  /** The oldest of them, the first byte and the place behind the last one of all of them. */
  oldest = -1;
  first = 0;
  last = 0;
  /** Whether what is in flight can be told. */
  canCountFlight = true;
  pushed = 0;
  isPushed = false;
  /** Edges of the ranges that it has acknowledged selectively. */
  readonly selected = new Int32Array(8);
  selectedCount = 0;
  hasSyn = false;
  hasFin = false;
  /** Where the last TLS record, or message of HTTP, began; where the next record does. */
  recordStart = 0;
  record = 0;
  hasRecord = false;
  /** What came of the header of a record. */
  header: Uint8Array | null = null;
  headerSize = 0;
  /** The messages of HTTP, and up to where they were read. */
  framing: HttpFraming | null = null;
  read = 0;
}

export class Flow {
  /** 0 to the opener's end, 1 to the other; by the order of its key. */
  opener = 0;
  stream = -1;
  application = "";
  /** Packets that were looked at for its name. */
  asked = 0;
  firstRow = -1;
  lastRow = -1;
  start = 0;
  end = 0;
  /** How often it was touched, to tell what has changed. */
  touched = 0;
  readonly packets = [0, 0, 0, 0];
  readonly bytes = [0, 0, 0, 0];
  retransmissions = 0;
  fragments = 0;
  fromHost = false;
  sides: [Side, Side] | null = null;
  /** Its addresses as text, once somebody has asked. */
  texts: readonly [low: string, high: string] | null = null;
  /** When the newest SYN was sent. */
  synTime = Number.NaN;
  initialRtt = Number.NaN;
  rtt = Number.NaN;
  /** As Wireshark's `tcp.completeness`. */
  completeness = 0;
  /** Requests and final responses of HTTP. */
  requests = 0;
  responses = 0;
  /** Of the requests that wait, those whose answers have no body or another protocol behind them. */
  special: Map<number, string> | null = null;

  constructor(
    readonly id: number,
    readonly protocol: number,
    readonly version: number,
    /** Two addresses of 16 bytes, of which IPv4 uses 4. */
    readonly addresses: Uint8Array,
    readonly lowPort: number,
    readonly highPort: number,
  ) {}
}
