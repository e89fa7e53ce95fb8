import { WebSocket } from "ws";

const { API, TOKEN } = process.env;
const url = `${API.replace("http", "ws")}/v1/sessions/${process.argv[2]}/packets`;
const headers = { Authorization: `Bearer ${TOKEN}` };
const socket = new WebSocket(url, "v1.raw.wintun-api", { headers, perMessageDeflate: false });

socket.on("message", (packet) => { // one bare IP packet per binary message
  if (packet[0] !== 0x45 || packet[9] !== 1 || packet[20] !== 8) return; // no ICMP echo request
  const reply = Buffer.from(packet);
  packet.copy(reply, 12, 16, 20); // source and destination change places
  packet.copy(reply, 16, 12, 16);
  reply[20] = 0; // type 8 becomes 0, so the checksum grows by 0x0800
  const checksum = packet.readUInt16BE(22) + 0x0800;
  reply.writeUInt16BE((checksum & 0xffff) + (checksum >> 16), 22);
  socket.send(reply);
});
