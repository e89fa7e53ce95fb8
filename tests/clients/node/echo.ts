/** What a host behind the tunnel does: it answers ping. */

/** Return the reply to an ICMP echo request, undefined for any other packet. */
export function echoReply(packet: Buffer): Buffer | undefined {
  if (packet.length < 28 || packet[0] !== 0x45 || packet[9] !== 1 || packet[20] !== 8) return undefined;
  const reply = Buffer.from(packet);
  packet.copy(reply, 12, 16, 20); // source and destination change places
  packet.copy(reply, 16, 12, 16);
  reply[20] = 0; // type 8 becomes 0, so the checksum grows by 0x0800
  const checksum = packet.readUInt16BE(22) + 0x0800;
  reply.writeUInt16BE((checksum & 0xffff) + (checksum >> 16), 22);
  return reply;
}
