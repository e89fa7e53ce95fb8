/** Start a capture: whose packets, which of them, and how much room they may take. */

import type { ComponentChildren } from "preact";
import { useEffect, useId, useMemo } from "preact/hooks";
import { CaptureForm, type Which } from "../../models/capture-form";
import { useDashboard } from "../context";
import { Choice } from "../ui/Choice";
import { Dialog } from "../ui/Dialog";
import { ProblemText } from "../ui/ProblemText";
import { FilterField } from "./FilterField";
import { Text } from "./Text";
import { TriggerFields } from "./TriggerFields";

const DIRECTIONS = [
  { id: "both", label: "Both directions" },
  { id: "received", label: "From host" },
  { id: "injected", label: "To host" },
] as const;
const MORE = ["rotate.bytes", "rotate.seconds", "keep.files", "keep.bytes", "snaplen"] as const;

export function StartCapture({ onClose }: { onClose: () => void }) {
  const { captures, notices } = useDashboard();
  const form = useMemo(() => new CaptureForm((filter) => captures.check(filter)), [captures]);
  useEffect(() => () => form.close(), [form]);
  const submit = async () => {
    let name = "";
    const sent = await form.submit(async (body) => {
      ({ name } = await captures.start(body));
    });
    if (!sent) return;
    notices.say(`Capture ${name} was started.`);
    onClose();
  };
  const problem = form.problem.value;
  return (
    <Dialog
      title="New capture"
      action="Start capture"
      busy={form.busy.value}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <Text form={form} name="name" label="Name" placeholder="capture" autoFocus />
      <AdapterFields form={form} />
      <FilterField
        label="Filter"
        hint={
          <>
            Uses the{" "}
            <a href="/guide/filters" target="_blank" rel="noopener">
              filter syntax of tcpdump
            </a>
            . Leave empty to capture every packet.
          </>
        }
        check={form.filter}
      />
      <div class="field">
        <span class="label" aria-hidden="true">
          Direction
        </span>
        <Choice
          label="Direction"
          value={form.direction.value}
          options={DIRECTIONS}
          onChange={(direction) => {
            form.direction.value = direction;
          }}
        />
      </div>
      <TriggerFields form={form} />
      <Group title="Stop" hint="Whichever comes first. You can also stop it at any time.">
        <Text form={form} name="stop.packets" label="After packets" placeholder="any number" />
        <Text form={form} name="stop.bytes" label="After size" placeholder="such as 1 GiB" />
        <Text form={form} name="stop.seconds" label="After time" placeholder="such as 10 min" />
      </Group>
      <More form={form} />
    </Dialog>
  );
}

/** What most captures leave as it is. */
function More({ form }: { form: CaptureForm }) {
  const id = useId();
  const set = MORE.filter((name) => form.texts.value[name]).length + Number(form.marks.value);
  return (
    <details class="more">
      <summary>
        More: files, how many to keep, snap length, comments{" "}
        {set > 0 && <span class="badge">{set} set</span>}
      </summary>
      <div>
        <Group
          title="New file"
          hint="A new file starts at either limit, so that no file gets too large."
        >
          <Text
            form={form}
            name="rotate.bytes"
            label="Max file size"
            placeholder="such as 64 MiB"
          />
          <Text form={form} name="rotate.seconds" label="Max file time" placeholder="such as 1 h" />
        </Group>
        <Group title="Keep" hint="Older files beyond these limits are deleted.">
          <Text form={form} name="keep.files" label="Max files" placeholder="all files" />
          <Text form={form} name="keep.bytes" label="Max total size" placeholder="such as 10 GiB" />
        </Group>
        <Text
          form={form}
          name="snaplen"
          label="Snap length"
          placeholder="all"
          unit="bytes"
          hint="Only the first bytes of each packet are kept."
        />
        <div class="field">
          <label class="check">
            <input
              type="checkbox"
              checked={form.marks.value}
              aria-describedby={id}
              onChange={(event) => {
                form.marks.value = event.currentTarget.checked;
              }}
            />
            Add comments that say what happened to each packet
          </label>
          <p id={id} class="said">
            The files then also contain packets that an impairment dropped, and packets that were
            rejected.
          </p>
        </div>
      </div>
    </details>
  );
}

function AdapterFields({ form }: { form: CaptureForm }) {
  const { adapters, service } = useDashboard();
  const id = useId();
  const which = form.which.value;
  const error = form.error("adapters");
  const poolWord = service.poolWord.value;
  const options: readonly { id: Which; label: string }[] = [
    { id: "all", label: "All" },
    { id: "some", label: "Some" },
    { id: "pool", label: `One ${poolWord.toLowerCase()}` },
  ];
  const pools = new Set(adapters.list.value.map((adapter) => adapter.pool));
  return (
    <div class="field">
      <span class="label" aria-hidden="true">
        Adapters
      </span>
      <Choice
        label="Adapters"
        value={which}
        options={options}
        onChange={(next) => {
          form.which.value = next;
        }}
      />
      {which === "all" && <p class="said">Adapters that are created later are included.</p>}
      {which === "some" && (
        <fieldset class="checks" aria-describedby={error === "" ? undefined : `${id}-said`}>
          <legend class="unseen">Its adapters</legend>
          {adapters.list.value.map(({ guid, name, pool }) => (
            <label key={guid} class="check">
              <input
                type="checkbox"
                checked={form.adapters.value.has(guid)}
                onChange={() => form.toggle(guid)}
              />
              <bdi>{name}</bdi> <bdi class="soft">{pool}</bdi>
            </label>
          ))}
          {adapters.list.value.length === 0 && <p class="said">There are no adapters yet.</p>}
        </fieldset>
      )}
      {which === "pool" && (
        <>
          <Text form={form} name="pool" label={poolWord} list={`${id}-pools`} />
          <datalist id={`${id}-pools`}>
            {[...pools].map((pool) => (
              <option key={pool} value={pool} />
            ))}
          </datalist>
        </>
      )}
      {error !== "" && (
        <p id={`${id}-said`} class="said wrong-text" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

interface GroupProps {
  readonly title: string;
  readonly hint: string;
  readonly children: ComponentChildren;
}

function Group({ title, hint, children }: GroupProps) {
  return (
    <fieldset class="group">
      <legend>{title}</legend>
      <p class="said">{hint}</p>
      <div class="pair">{children}</div>
    </fieldset>
  );
}
