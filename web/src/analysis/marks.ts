/** What was found of a row, one bit each; the first are those of Wireshark's TCP analysis. */

export const RETRANSMISSION = 1 << 0;
export const FAST = 1 << 1;
export const SPURIOUS = 1 << 2;
export const OUT_OF_ORDER = 1 << 3;
export const REUSED_PORTS = 1 << 4;
export const LOST_SEGMENT = 1 << 5;
export const ACK_LOST_SEGMENT = 1 << 6;
export const KEEP_ALIVE = 1 << 7;
export const KEEP_ALIVE_ACK = 1 << 8;
export const DUPLICATE_ACK = 1 << 9;
export const ZERO_WINDOW_PROBE = 1 << 10;
export const ZERO_WINDOW = 1 << 11;
export const ZERO_WINDOW_PROBE_ACK = 1 << 12;
export const WINDOW_UPDATE = 1 << 13;
export const WINDOW_FULL = 1 << 14;
/** Every one of those above. */
export const ANALYSIS = (1 << 15) - 1;

/** The responder sent it, not the opener. */
export const BACKWARD = 1 << 15;
/** A TCP segment that was followed. */
export const SEGMENT = 1 << 16;
/** `partners` leads on to the answer. */
export const QUESTION = 1 << 17;
/** `partners` leads back to the question. */
export const ANSWER = 1 << 18;
/** A question or an answer that came before already; `partners` leads back to it. */
export const REPEATED = 1 << 19;
/** It carries bytes of a TLS record. */
export const TLS = 1 << 20;
/** The kind of question: DNS, ICMP, HTTP or NTP, in two bits. */
export const KIND_SHIFT = 21;
export const DNS = 0;
export const ECHO = 1;
export const HTTP = 2;
export const NTP = 3;
/** The packet came from the host. */
export const FROM_HOST = 1 << 23;
/** An ICMP error about a packet of the stream whose number is in `partners`. */
export const ABOUT_TCP = 1 << 24;
export const ABOUT_UDP = 1 << 25;
/** Enough of its header is there to tell its stream. */
export const STREAM = 1 << 26;
