/** WireGuard: what stands in the clear. */

import { hex, u8 } from "./bytes";
import type { Dissection } from "./dissection";
import { lay } from "./layout";
import { nameOf } from "./names";

const KINDS: Readonly<Record<number, string>> = {
  1: "sender:Sender:4L;:Ephemeral:108_;mac1:MAC 1:16o;mac2:MAC 2:16o",
  2: "sender:Sender:4L;receiver:Receiver:4L;:Ephemeral:48_;mac1:MAC 1:16o;mac2:MAC 2:16o",
  3: "receiver:Receiver:4L;nonce:Nonce:24o;encrypted_cookie:Cookie:32o",
  4: "receiver:Receiver:4L;counter:Counter:8l",
};

export function dissectWireGuard(to: Dissection, start: number, end: number): void {
  const { bytes } = to;
  const kind = u8(bytes, start);
  const layer = to.layer("wg", "WireGuard Protocol", start, end);
  to.protocol = "WireGuard";
  const table = `type:Kind:1=WG;reserved:Reserved:3o;${KINDS[kind] ?? ""}`;
  const at = lay(to, layer, "wg", start, end, table);
  const said = layer.fields
    .filter(({ name }) => /^wg\.(sender|receiver|counter)$/.test(name))
    .map(({ name, value }) => {
      return `, ${name.slice(3)}=${name === "wg.counter" ? value : hex(Number(value), 8)}`;
    });
  if (kind === 4) said.push(`, datalen=${end - at - 16}`);
  const keepalive = kind === 4 && end - at === 16;
  to.info = keepalive
    ? `Keepalive${said.slice(0, 2).join("")}`
    : `${nameOf("WG", kind)}${said.join("")}`;
  layer.text = to.info;
}
