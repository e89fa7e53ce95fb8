/** GRE (RFC 2784, RFC 2890), ESP (RFC 4303): tunnels that are not IP in IP. */

import { hex, u16, u32 } from "./bytes";
import { checksum } from "./checksum";
import { addChecksum, type Dissection, type Dissector } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";

const HEAD =
  "flags_and_version:Flags:2x;flags.checksum:Checksum:2&8000;flags.routing:Routing:2&4000;flags.key:Key:2&2000;flags.sequence_number:Sequence number:2&1000;flags.strict_source_route:Strict source route:2&800;flags.recursion_control:Recursion control:2&700;flags.version:Version:2&7;proto:Protocol:2x=ETHER";

/** Return the dissector; `ip` decodes the packet in the tunnel. */
export function greDissector(ip: Dissector): Dissector {
  return (to, start, end) => {
    const { bytes } = to;
    to.protocol = "GRE";
    const flags = u16(bytes, start);
    const protocol = u16(bytes, start + 2);
    const layer = to.layer("gre", "Generic Routing Encapsulation", start, end);
    to.info = layer.text = `Encapsulated ${nameOf("ETHER", protocol) ?? hex(protocol, 4)}`;
    let at = lay(to, layer, "gre", start, end, HEAD);
    if (flags & 0x8000) {
      const found = u16(bytes, at);
      const expected = end < to.promised ? null : checksum(bytes, start, end, 0xffff - found);
      lay(to, layer, "gre", at, end, ":Checksum:2_");
      addChecksum(layer, "gre", at, found, expected);
      at = lay(to, layer, "gre", at + 2, end, "offset:Offset:2");
    }
    if (flags & 0x2000) at = lay(to, layer, "gre", at, end, "key:Key:4x");
    if (flags & 0x1000) at = lay(to, layer, "gre", at, end, "sequence_number:Sequence number:4");
    layer.end = at;
    // Version 1 carries PPP (RFC 2637).
    if ((flags & 7) === 0 && (protocol === 0x800 || protocol === 0x86dd)) ip(to, at, end);
    else to.data(at, end);
  };
}

export function dissectEsp(to: Dissection, start: number, end: number): void {
  to.protocol = "ESP";
  const layer = to.layer("esp", "Encapsulating Security Payload", start, end);
  lay(to, layer, "esp", start, end, "spi:SPI:4x;sequence:Sequence:4");
  to.info = layer.text = `ESP (SPI=${hex(u32(to.bytes, start), 8)})`;
}
