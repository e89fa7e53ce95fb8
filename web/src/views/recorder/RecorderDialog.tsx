/** Record the last minutes of a session, or change how many of them are kept. */

import { useId, useMemo, useState } from "preact/hooks";
import type { Session } from "../../api/types";
import { Attempt } from "../../models/attempt";
import { binary, duration } from "../../models/units";
import { useDashboard } from "../context";
import { Dialog } from "../ui/Dialog";
import { ProblemText } from "../ui/ProblemText";

const SECONDS = [30, 60, 120, 300, 900, 3600];
const MEBIBYTE = 1024 * 1024;
const BYTES = [16, 64, 256, 1024].map((size) => size * MEBIBYTE);

interface Props {
  readonly session: Session;
  readonly name: string;
  readonly onClose: () => void;
}

export function RecorderDialog({ session, name, onClose }: Props) {
  const { notices, sessions } = useDashboard();
  const { id, recorder } = session;
  const [seconds, setSeconds] = useState(recorder?.seconds ?? 120);
  const [bytes, setBytes] = useState(recorder?.bytes ?? 64 * MEBIBYTE);
  const attempt = useMemo(() => new Attempt(), []);
  const problem = attempt.problem.value;
  const { receivedNow, injectedNow } = sessions.rates(id);
  const rate = receivedNow.bytes + injectedNow.bytes;
  const submit = async () => {
    if (!(await attempt.run(() => sessions.record(id, { seconds, bytes })))) return;
    notices.say(`From now on, the last ${duration(seconds)} of ${name} are recorded.`);
    onClose();
  };
  return (
    <Dialog
      title={`Record the last minutes of ${name}`}
      action={recorder ? "Change" : "Record"}
      busy={attempt.busy.value}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <p>
        The service keeps the last packets in its memory, so that you can save them after something
        has happened. Nothing is written to the disk. Recording ends with the session.
      </p>
      <div class="pair">
        <Select label="Time" value={seconds} options={SECONDS} text={duration} set={setSeconds} />
        <Select label="Memory" value={bytes} options={BYTES} text={binary} set={setBytes} />
      </div>
      <p class="said">
        This uses up to {binary(bytes)} of memory; when that is full, the oldest packets are
        dropped. At the current rate, {duration(seconds)} take about{" "}
        {binary(Math.round(rate * seconds))}.
      </p>
    </Dialog>
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: number;
  readonly options: readonly number[];
  readonly text: (value: number) => string;
  readonly set: (value: number) => void;
}

function Select({ label, value, options, text, set }: SelectProps) {
  const id = useId();
  // Another program may have set one that is not in the list.
  const all = [...new Set([...options, value])].sort((a, b) => a - b);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={String(value)}
        onChange={(event) => set(Number(event.currentTarget.value))}
      >
        {all.map((option) => (
          <option key={option} value={String(option)}>
            {text(option)}
          </option>
        ))}
      </select>
    </div>
  );
}
