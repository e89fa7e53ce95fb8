/**
 * Where the headers of a packet lie, and nothing more: what a filter or a statistic asks of tens
 * of thousands of packets. One `Headers` is used again for every packet, nothing is allocated.
 */

import { u8, u16 } from "./bytes";

const FRAGMENT = 44;
const AUTHENTICATION = 51;

export class Headers {
  bytes: Uint8Array = new Uint8Array();
  start = 0;
  /** Behind the last captured byte. */
  end = 0;
  originalLength = 0;
  injected = false;
  /** 4 or 6; 0 for bytes that are no whole IP header. */
  version = 0;
  /** IANA number behind IPv6 extension headers; -1 without a header. */
  protocol = -1;
  /** Where the upper layer begins; -1 in a later fragment, or where bytes are missing. */
  upper = -1;
  fragment = false;
  /** Of TCP, UDP, SCTP and the like; -1 elsewhere. */
  sourcePort = -1;
  destinationPort = -1;

  /** Look at the packet from `start` to `end` of `bytes`. */
  read(
    bytes: Uint8Array,
    start: number,
    end: number,
    originalLength: number,
    injected: boolean,
  ): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.originalLength = originalLength;
    this.injected = injected;
    this.version = 0;
    this.protocol = -1;
    this.upper = -1;
    this.fragment = false;
    this.sourcePort = -1;
    this.destinationPort = -1;
    const version = u8(bytes, start) >> 4;
    if (version === 4 && end - start >= 20) this.readIpv4();
    else if (version === 6 && end - start >= 40) this.readIpv6();
    else return;
    this.version = version;
    if (this.upper < 0 || this.upper >= end) {
      this.upper = -1;
      return;
    }
    const { protocol, upper } = this;
    const hasPorts =
      protocol === 6 || protocol === 17 || protocol === 132 || protocol === 33 || protocol === 136;
    if (hasPorts && upper + 4 <= end) {
      this.sourcePort = u16(bytes, upper);
      this.destinationPort = u16(bytes, upper + 2);
    }
  }

  private readIpv4(): void {
    const { bytes, start } = this;
    this.protocol = u8(bytes, start + 9);
    const word = u16(bytes, start + 6);
    this.fragment = (word & 0x3fff) !== 0;
    const header = (u8(bytes, start) & 0xf) * 4;
    if (header >= 20 && (word & 0x1fff) === 0) this.upper = start + header;
  }

  private readIpv6(): void {
    const { bytes, start, end } = this;
    let protocol = u8(bytes, start + 6);
    let at = start + 40;
    // Every round moves on by 8 bytes at least.
    for (;;) {
      const options = protocol === 0 || protocol === 43 || protocol === 60;
      if (!options && protocol !== FRAGMENT && protocol !== AUTHENTICATION) break;
      if (at + 8 > end) {
        this.protocol = protocol;
        return;
      }
      const following = u8(bytes, at);
      if (protocol === FRAGMENT) {
        const word = u16(bytes, at + 2);
        this.fragment ||= (word & 0xfff9) !== 0;
        if ((word & 0xfff8) !== 0) {
          this.protocol = following;
          return;
        }
        at += 8;
      } else if (protocol === AUTHENTICATION) at += (u8(bytes, at + 1) + 2) * 4;
      else at += (u8(bytes, at + 1) + 1) * 8;
      protocol = following;
    }
    this.protocol = protocol;
    this.upper = at;
  }
}
