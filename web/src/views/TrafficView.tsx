/** Rates, protocols, conversations and losses over the last minutes. */

import { useDashboard } from "./context";
import { SessionNote } from "./SessionNote";
import { SessionPicker } from "./SessionPicker";
import { Chart, type Line } from "./traffic/Chart";
import { ProtocolSplit } from "./traffic/ProtocolSplit";
import { TopTalkers } from "./traffic/TopTalkers";

const BITS: readonly Line[] = [
  { name: "receivedBytes", label: "Received", color: "--received" },
  { name: "injectedBytes", label: "Injected", color: "--injected" },
];
const PACKETS: readonly Line[] = [
  { name: "receivedPackets", label: "Received", color: "--received" },
  { name: "injectedPackets", label: "Injected", color: "--injected" },
];
const LOST: readonly Line[] = [
  { name: "ring", label: "Receive ring", color: "--bad" },
  { name: "truncated", label: "Too large", color: "--quic" },
  { name: "queue", label: "Clients' queues", color: "--warn" },
  { name: "ended", label: "Ended connections", color: "--udp" },
  { name: "ring_full", label: "Send ring full", color: "--tls" },
  { name: "failed", label: "Failed calls", color: "--icmp" },
  { name: "refused", label: "Not taken by the host", color: "--http" },
  { name: "rejected", label: "Rejected", color: "--other" },
];

export function TrafficView() {
  const { capture } = useDashboard();
  if (capture.session.value === null) {
    return (
      <div class="traffic">
        <h1 class="unseen">Traffic</h1>
        <TrafficBar />
      </div>
    );
  }
  return (
    <div class="traffic">
      <h1 class="unseen">Traffic</h1>
      <TrafficBar />
      <Chart title="Bits" unit="b/s" lines={BITS} factor={8} />
      <Chart title="Packets" unit="/s" lines={PACKETS} />
      <Chart title="Lost packets by cause" unit="/s" lines={LOST} />
      <ProtocolSplit />
      <TopTalkers />
    </div>
  );
}

function TrafficBar() {
  return (
    <div class="view-bar">
      <SessionPicker label="Traffic of" />
      <SessionNote />
    </div>
  );
}
