/** What is known of a conversation, as it is shown and sent between threads. */

/** Where a conversation stands. What has no state of its own is answered or unanswered. */
export type ConversationState =
  | "opening"
  | "established"
  | "closing"
  | "closed"
  | "reset"
  | "refused"
  | "answered"
  | "unanswered";

export interface Conversation {
  /** Counts up, never used twice. */
  readonly id: number;
  /** IANA number of the protocol. */
  readonly protocol: number;
  /** What `tcp.stream` or `udp.stream` says; -1 for other protocols. */
  readonly stream: number;
  /** `TLS`, `HTTP`, `DNS` or what else was found behind the ports; empty where nothing was. */
  readonly application: string;
  /** Whether messages of HTTP were found in it, whatever else it carries. */
  readonly hasHttp: boolean;
  /** The end that opened it. */
  readonly source: string;
  /** -1 without ports. */
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Whether its first packet came from the host. */
  readonly fromHost: boolean;
  /** Packets of the opener, and of the other end. */
  readonly packets: readonly [number, number];
  readonly bytes: readonly [number, number];
  /** Packets from the host, and to the host. */
  readonly hostPackets: readonly [number, number];
  readonly hostBytes: readonly [number, number];
  /** Nanoseconds since 1970. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Nanoseconds between a packet and its answer; null where none could be measured. */
  readonly rttNs: number | null;
  readonly state: ConversationState;
  /** Segments that were sent again. */
  readonly retransmissions: number;
  /** Its first and its newest row. */
  readonly firstRow: number;
  readonly lastRow: number;
}

/** How a conversation is put together again. */
export type How = "tcp" | "udp" | "http";

/** What one packet brought of a chunk or a message. */
export interface Part {
  /** Where it begins there. */
  readonly at: number;
  readonly row: number;
  readonly timeNs: bigint;
}

/** Bytes of one end, up to where the other end speaks or something is missing. */
export interface Chunk {
  /** 0 for the opener, 1 for the other end. */
  readonly side: 0 | 1;
  /** Whether its first packet came from the host. */
  readonly fromHost: boolean;
  /** The row with its first byte. */
  readonly row: number;
  readonly timeNs: bigint;
  /** The packets that it came in, in its order; the first is that of `row`. */
  readonly parts: readonly Part[];
  /** Bytes that are missing before it; with UDP, 0. */
  readonly missing: number;
  readonly bytes: Uint8Array;
}

/** One message of HTTP, its body without chunks but still compressed. */
export interface HttpMessage {
  readonly side: 0 | 1;
  readonly fromHost: boolean;
  readonly row: number;
  readonly timeNs: bigint;
  /** The packets that it came in, with its head and with the chunks of its body. */
  readonly parts: readonly Part[];
  readonly head: string;
  readonly body: Uint8Array;
  /** What Content-Encoding says; empty for nothing. */
  readonly encoding: string;
  /** Why the body is not whole; empty when it is. */
  readonly fault: string;
}

export interface Followed {
  readonly conversation: Conversation;
  readonly how: How;
  readonly chunks: readonly Chunk[];
  /** Only of HTTP. */
  readonly messages: readonly HttpMessage[];
  /** Bytes that the chunks hold. */
  readonly size: number;
  /** Bytes left out because a stream is followed up to `MAX_FOLLOWED`. */
  readonly cut: number;
  /** Bytes that are known to be missing between the chunks. */
  readonly missing: number;
  /** Packets of it that are no longer kept. */
  readonly dropped: number;
  /** Packets of it that are fragments, which are not put together. */
  readonly fragments: number;
  /** Whether any of its packets that are kept carries data. */
  readonly hasData: boolean;
}

/** Bytes of a conversation that are put together. */
export const MAX_FOLLOWED = 4 * 1024 * 1024;
