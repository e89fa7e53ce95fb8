/** Make an adapter, or change one: every field of the API, checked as the API does. */

import { useMemo } from "preact/hooks";
import type { Adapter } from "../api/types";
import { AdapterForm, type FieldName } from "../models/adapter-form";
import { plainName } from "../models/visible";
import { useDashboard } from "./context";
import { Dialog } from "./ui/Dialog";
import { Field } from "./ui/Field";
import { Name } from "./ui/Name";
import { ProblemText } from "./ui/ProblemText";

export function AdapterDialog({
  adapter,
  onClose,
}: {
  adapter: Adapter | null;
  onClose: () => void;
}) {
  const { adapters, notices, service } = useDashboard();
  // One form for as long as the dialog is open: events must not undo what is typed.
  const form = useMemo(() => new AdapterForm(adapter), [adapter?.guid]);
  const able = service.driver.value?.capabilities;
  const isNew = adapter === null;
  const submit = async () => {
    const sent = await form.submit(() =>
      isNew ? adapters.create(form.creation()) : adapters.update(adapter.guid, form.update()),
    );
    if (!sent) return;
    notices.say(`${plainName(form.texts.peek().name)} was ${isNew ? "created" : "changed"}.`);
    onClose();
  };
  const field = (name: FieldName, disabled = false) => ({
    value: form.texts.value[name],
    error: form.error(name),
    disabled,
    onInput: (text: string) => form.set(name, text),
    onBlur: () => form.touch(name),
  });
  const fixed = able?.network_settings === false;
  const problem = form.problem.value;
  return (
    <Dialog
      title={
        isNew ? (
          "New adapter"
        ) : (
          <>
            Edit <Name of={adapter.name} />
          </>
        )
      }
      action={isNew ? "Create" : "Save"}
      busy={form.busy.value}
      disabled={!isNew && !form.changed.value}
      onSubmit={submit}
      onClose={onClose}
    >
      {problem && <ProblemText problem={problem} />}
      <div class="pair">
        <Field label="Name" autoFocus {...field("name", !isNew && able?.rename === false)} />
        {isNew && <Field label={service.poolWord.value} {...field("pool")} />}
      </div>
      {isNew && (
        <Field
          label="Requested GUID"
          mono
          placeholder="Generated if empty"
          {...field("requested_guid")}
        />
      )}
      <Field
        label="Addresses"
        mono
        rows={2}
        placeholder={"10.6.7.7/24\nfd06:7::7/64"}
        hint="One address per line, with its prefix length."
        {...field("addresses", fixed)}
      />
      <div class="pair">
        <Field label="MTU" unit="bytes" placeholder="System default" {...field("mtu", fixed)} />
        <Field
          label="Metric"
          placeholder="Automatic"
          {...field("metric", fixed || able?.metric === false)}
        />
      </div>
      <Field
        label="Routes"
        mono
        rows={2}
        placeholder="10.0.0.0/8 via 10.6.7.1 metric 5"
        hint="One route per line: destination [via next-hop] [metric n]. The destination “default” is 0.0.0.0/0, or ::/0 where the next hop is IPv6."
        {...field("routes", fixed)}
      />
      <div class="pair">
        <Field
          label="DNS servers"
          mono
          rows={2}
          placeholder="10.6.7.1"
          {...field("dns", fixed || able?.dns === false)}
        />
        <Field
          label="Search domains"
          mono
          rows={2}
          placeholder="example.com"
          {...field("dns_search", fixed || able?.dns === false)}
        />
      </div>
    </Dialog>
  );
}
