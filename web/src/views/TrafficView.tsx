/** Rates, protocols, pairs of addresses and losses over the last minutes. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { RANGES } from "../models/traffic";
import { trafficCsv } from "../models/traffic-csv";
import { clock } from "../models/units";
import { param, setParam } from "./address";
import { useDashboard } from "./context";
import { StreamStatus } from "./packets/StreamStatus";
import { SessionNote } from "./SessionNote";
import { SessionPicker } from "./SessionPicker";
import { Charts } from "./traffic/Charts";
import { MarkList } from "./traffic/MarkList";
import { ProtocolSplit } from "./traffic/ProtocolSplit";
import { TopTalkers } from "./traffic/TopTalkers";
import { Button } from "./ui/Button";
import { Choice } from "./ui/Choice";
import { DirectionLegend } from "./ui/Direction";
import { save } from "./ui/save";
import "../styles/traffic.css";

export type Stacking = "direction" | "protocol";

const RANGE_CHOICES = [
  { id: "60", label: "1 min" },
  { id: "300", label: "5 min" },
  { id: "900", label: "15 min" },
  { id: "3600", label: "1 h" },
] as const;
const STACKINGS = [
  { id: "direction", label: "Direction" },
  { id: "protocol", label: "Protocol" },
] as const;
const NO_CAPTURE =
  "Protocols and top talkers are counted from packets, which this token cannot see: it does not " +
  "have the scope “capture”. The charts show the counters of the service.";

export function TrafficView() {
  const dashboard = useDashboard();
  const { capture, chosen, service, traffic } = dashboard;
  const state = capture.state.value;
  const hovered = useSignal<number | null>(null);
  const openedAt = useMemo(() => clock(new Date(performance.timeOrigin)).slice(0, 5), []);
  useEffect(() => {
    const timer = setInterval(() => traffic.tick(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [traffic]);
  const range = RANGES.find((one) => String(one) === param("range")) ?? 300;
  const isWhole = param("all") !== "";
  const mayCapture = service.can("capture");
  const isByProtocol = param("by") === "protocol" && !isWhole && mayCapture;
  const adapter = isWhole ? null : chosen.guid.value;
  const download = () => {
    const text = trafficCsv(traffic, traffic.bins(range), adapter, !isWhole && mayCapture);
    const moment = new Date().toISOString().slice(0, 19).replaceAll(":", "");
    save(new Blob([text], { type: "text/csv" }), `wintun-traffic-${moment}.csv`);
  };
  return (
    <div class="traffic">
      <h1 class="unseen">Traffic</h1>
      <div class="view-bar">
        <SessionPicker label="Traffic of" whole={isWhole} />
        <Choice
          label="Range"
          value={String(range) as (typeof RANGE_CHOICES)[number]["id"]}
          options={RANGE_CHOICES}
          onChange={(value) => setParam("range", value === "300" ? null : value)}
        />
        {!isWhole && mayCapture && (
          <Choice
            label="Stacked by"
            value={isByProtocol ? "protocol" : "direction"}
            options={STACKINGS}
            onChange={(value) => setParam("by", value === "protocol" ? value : null)}
          />
        )}
        <DirectionLegend />
        <span class="grow" />
        <Button icon="save" onClick={download}>
          Save as CSV
        </Button>
        {!isWhole && <SessionNote />}
      </div>
      {!isWhole && state.name === "ended" && state.again && <StreamStatus />}
      <Charts range={range} adapter={adapter} isByProtocol={isByProtocol} hovered={hovered} />
      {isWhole ? (
        <p class="remark">To see protocols and top talkers, choose one adapter above.</p>
      ) : mayCapture ? (
        <>
          {capture.file.value !== null && (
            <p class="remark" role="status">
              A capture file is open in Packets. Until it is closed, protocols are not counted.
            </p>
          )}
          <ProtocolSplit range={range} />
          <TopTalkers />
        </>
      ) : (
        <p class="remark" role="status">
          {NO_CAPTURE}
        </p>
      )}
      <MarkList range={range} adapter={adapter} hovered={hovered} />
      <p class="remark soft">
        This page has counted since it was opened at {openedAt}, and keeps the figures of one hour.
        {traffic.forgotten > 0 &&
          " It keeps figures of 64 adapters; those of some others were dropped."}
      </p>
    </div>
  );
}
