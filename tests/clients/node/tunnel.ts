/** Answer pings to any address behind an adapter: `node tunnel.js SESSION raw|batch`. */
import { WebSocket } from "ws";

import { pack, unpack } from "./batch.js";
import { echoReply } from "./echo.js";

const [session, protocol = "batch"] = process.argv.slice(2);
const { API = "http://127.0.0.1:9886", TOKEN = "" } = process.env;

const socket = new WebSocket(
  `${API.replace("http", "ws")}/v1/sessions/${session}/packets`,
  `v1.${protocol}.wintun-api`,
  { headers: { Authorization: `Bearer ${TOKEN}` }, perMessageDeflate: false },
);

socket.on("message", (message: Buffer, isBinary: boolean) => {
  if (!isBinary) return; // v1.batch also says hello, lost, ack and ended, as JSON
  if (protocol === "raw") {
    const reply = echoReply(message);
    if (reply) socket.send(reply);
    return;
  }
  const packets = unpack(message).flatMap((batch) => batch.packets);
  const replies = packets.flatMap((packet) => echoReply(packet) ?? []);
  if (replies.length) socket.send(pack({ packets: replies }));
});
socket.on("close", (code) => process.exit(code === 1001 ? 0 : 1));
