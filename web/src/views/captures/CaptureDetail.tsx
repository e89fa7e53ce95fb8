/** One capture: what can be done with it, its settings, its files. */

import { useState } from "preact/hooks";
import type { Capture } from "../../api/types";
import {
  adaptersText,
  keepText,
  reasonText,
  rotateText,
  STATES,
  stopText,
  triggerText,
} from "../../models/capture-text";
import { isActive } from "../../models/captures";
import { binary, count, momentText } from "../../models/units";
import { useDashboard } from "../context";
import { Button } from "../ui/Button";
import { WAYS } from "../ui/Direction";
import { Facts } from "../ui/Facts";
import { DeleteCapture } from "./DeleteCapture";
import { FileTable } from "./FileTable";

const BADGES: Readonly<Record<Capture["state"], string>> = {
  waiting: "badge warn",
  running: "badge good",
  stopped: "badge",
  failed: "badge bad",
  repairing: "badge warn",
};

export function CaptureDetail({ capture }: { capture: Capture }) {
  const { adapters, service } = useDashboard();
  const { name, state, direction, filter, snaplen, marks, trigger } = capture;
  const nameOf = (guid: string) => adapters.find(guid)?.name ?? guid;
  const why = capture.detail ?? reasonText(capture);
  const pool = service.poolWord.value.toLowerCase();
  return (
    <article class="detail" aria-label={`Capture ${name}`}>
      <header class="panel-head">
        <h2 class="cut" title={name}>
          <bdi>{name}</bdi>
        </h2>
        <span class={BADGES[state]}>{STATES[state]}</span>
      </header>
      {service.can("capture") && <Actions capture={capture} />}
      {why && <p class={state === "failed" ? "problem" : "reason"}>{sentence(why)}</p>}
      <Facts
        facts={[
          ["Packets", count(capture.packets)],
          ["Lost", <Lost key="l" of={capture} />],
          ["Size", binary(capture.bytes)],
          [
            "Started",
            <span key="s">
              {momentText(capture.created_at)} by <bdi>{capture.created_by}</bdi>
            </span>,
          ],
          ...(capture.triggered_at
            ? ([["Triggered", momentText(capture.triggered_at)]] as const)
            : []),
          ...(capture.ended_at ? ([["Ended", momentText(capture.ended_at)]] as const) : []),
        ]}
      />
      <h3>Files</h3>
      <FileTable capture={capture} />
      <h3>Settings</h3>
      <Facts
        facts={[
          [
            "Adapters",
            <bdi key="a">
              {adaptersText(capture, nameOf).replace(/^all of pool/, `all of ${pool}`)}
            </bdi>,
          ],
          ["Direction", direction === "both" ? "Both" : WAYS[direction].label],
          ["Filter", filter && <code key="f">{filter}</code>],
          ["Snap length", snaplen === 0 ? "all bytes" : `the first ${count(snaplen)} bytes`],
          ...(marks ? ([["Comments", "say what happened to each packet"]] as const) : []),
          ...(trigger ? ([["Starts when", triggerText(trigger)]] as const) : []),
          ["Ends", stopText(capture.stop)],
          ["New file", rotateText(capture.rotate)],
          ["Keeps", keepText(capture.keep)],
        ]}
      />
    </article>
  );
}

function Lost({ of: { lost, unwritten } }: { of: Capture }) {
  if (lost === 0) return <>none</>;
  const disk = unwritten > 0 && `, ${count(unwritten)} of them by the disk`;
  return (
    <span class="wrong-text">
      {count(lost)}
      {disk}; comments in the files say where
    </span>
  );
}

function Actions({ capture }: { capture: Capture }) {
  const { captures, notices } = useDashboard();
  const [isDeleting, setDeleting] = useState(false);
  const { id, name } = capture;
  const busy = notices.busy.value !== "";
  const stop = () =>
    notices.attempt(
      `Could not stop capture ${name}`,
      () => captures.stop(id),
      () => `Capture ${name} was stopped.`,
    );
  const trigger = () =>
    notices.attempt(
      `Could not start capture ${name}`,
      () => captures.trigger(id),
      () => `Capture ${name} was started.`,
    );
  return (
    <div class="actions" role="toolbar" aria-label={`Actions on ${name}`}>
      {capture.state === "waiting" && (
        <Button icon="play" kind="primary" online disabled={busy} onClick={trigger}>
          Start now
        </Button>
      )}
      {isActive(capture) && (
        <Button icon="stop" online disabled={busy} onClick={stop}>
          Stop
        </Button>
      )}
      <Button kind="danger" online disabled={busy} onClick={() => setDeleting(true)}>
        Delete…
      </Button>
      {isDeleting && <DeleteCapture capture={capture} onClose={() => setDeleting(false)} />}
    </div>
  );
}

/** Begin with a capital and end with a full stop. */
function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, "")}.`;
}
