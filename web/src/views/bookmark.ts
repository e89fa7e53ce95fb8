/**
 * What the address says of the models, and the models of the address: a link shows the same again.
 *
 * What the page does not have cannot be shown again: packets that came before it was loaded, and a
 * file, which only a person can open. The address loses what it says of them, and a notice tells.
 */

import { effect, untracked } from "@preact/signals";
import type { CaptureModel, OpenedFile } from "../models/capture";
import type { Dashboard } from "../models/dashboard";
import type { NoticesModel } from "../models/notices";
import type { PacketTableModel } from "../models/packet-table";
import { count } from "../models/units";
import { plainName } from "../models/visible";
import { currentTab, goTo, needsPackets, ofStream, param, setParam, unknownView } from "./address";
import type { TabId } from "./tabs";

/** The views that show a file in place of what comes. */
const OF_FILE: readonly TabId[] = ["packets", "conversations"];

/** Say that a file of this name has to be opened again. */
export function goneText(name: string): string {
  return `The file ${plainName(name)} is no longer open`;
}

/** Keep the address and the models at one, from now on; the address has the first word. */
export function bookmark(dashboard: Dashboard): void {
  const { adapters, capture, chosen, notices, workbench } = dashboard;
  // The rows of a page that was left are not kept, so that its numbers mean nothing here.
  const number = currentTab() === "packets" ? param("packet") : "";
  if (/^\d{1,15}$/.test(number)) {
    setParam("packet", null);
    const packet = `Packet ${count(Number(number))}`;
    // A packet of a file is told of with the file.
    if (param("file") === "") {
      notices.say(`${packet} is not here: this page was just loaded and has no earlier packets.`);
    }
  }

  effect(() => {
    const id = unknownView.value;
    if (id === "") return;
    untracked(() => notices.warn(`There is no view “${plainName(id)}”. This is the overview.`));
  });

  effect(() => {
    void capture.generation.value;
    const name = needsPackets(currentTab()) ? param("adapter") : null;
    // Those of the adapter that was shown before are not asked for first.
    if (name === "" || name === capture.adapter) untracked(() => capture.want());
  });

  bookmarkFile(capture, notices);

  effect(() => {
    const name = ofStream(currentTab()) ? param("adapter") : "";
    untracked(() => name !== "" && chosen.chooseName(name));
  });
  effect(() => {
    const name = chosen.name.value;
    const tab = currentTab();
    if (name === "") return;
    untracked(() => setParam("adapter", name, { tab: ofStream(tab) ? tab : "packets" }));
  });

  effect(() => {
    const table = workbench.value?.table;
    if (table !== undefined) untracked(() => bookmarkTable(table, notices));
  });

  effect(() => {
    if (currentTab() !== "overview") return;
    const name = param("adapter");
    const found = adapters.list.value.find((one) => one.name === name);
    untracked(() => {
      if (found === undefined) adapters.asked.value = name;
      else if (adapters.selected.peek()?.guid !== found.guid) adapters.select(found.guid);
    });
  });
  effect(() => {
    const name = adapters.selected.value?.name;
    if (name !== undefined) untracked(() => setParam("adapter", name, { tab: "overview" }));
  });
}

/** An opened file has an entry of its own in the browser's history: Back shows again what comes. */
function bookmarkFile(capture: CaptureModel, notices: NoticesModel): void {
  /** The file that Back has closed, for Forward. */
  let closed: OpenedFile | null = null;

  effect(() => {
    if (!OF_FILE.includes(currentTab())) return;
    const name = param("file");
    untracked(() => {
      const open = capture.file.peek();
      if (name === (open?.name ?? "")) return;
      if (name === "") {
        closed = open;
        capture.open(null);
      } else if (name === closed?.name) {
        capture.open(closed);
      } else {
        for (const tab of OF_FILE) setParam("file", null, { tab });
        setParam("packet", null, { tab: "packets" });
        notices.warn(
          `${goneText(name)}: a page cannot open a file by itself. ` +
            "Choose it again with “Open file…” in Packets, or drop it on the table there.",
        );
      }
    });
  });
  effect(() => {
    const file = capture.file.value;
    untracked(() => {
      const name = file?.name ?? null;
      const tab = currentTab();
      if (name !== null) closed = null;
      // Numbers of packets are those of what is shown.
      if (param("file") !== (name ?? "")) {
        if (name !== null && OF_FILE.includes(tab)) goTo(tab, { file: name, packet: null });
        setParam("packet", null, { tab: "packets" });
      }
      for (const one of OF_FILE) setParam("file", name, { tab: one });
    });
  });
}

function bookmarkTable(table: PacketTableModel, notices: NoticesModel): void {
  effect(() => {
    if (currentTab() !== "packets") return;
    const text = param("filter");
    untracked(() => text !== table.filterText.peek() && table.filter(text));
  });
  effect(() => {
    const text = table.filterText.value;
    untracked(() => setParam("filter", text, { tab: "packets" }));
  });

  /** What the table has made the address say, which is not to be shown again. */
  let said = "";
  const place = (packet: string): string => [packet, param("adapter"), param("file")].join("\n");
  const number = (): string => {
    const row = table.selected.peek()?.row;
    return row === undefined ? "" : String(table.numberOf(row));
  };
  const say = (): void => {
    said = place(number());
    setParam("packet", number(), { tab: "packets" });
  };
  effect(() => {
    const text = currentTab() === "packets" ? param("packet") : "";
    if (text === "" || place(text) === said) return;
    // Once the adapter and the file are shown that the address names as well.
    queueMicrotask(async () => {
      said = place(text);
      if (number() === text) return;
      const why = await table.goTo(text);
      if (why !== "") notices.say(why);
      say();
    });
  });
  effect(() => {
    void table.selected.value;
    untracked(() => {
      // An adapter that is come back to has a selection; what the address asks for goes before it.
      const asked = currentTab() === "packets" ? param("packet") : "";
      if (asked === "" || place(asked) === said) say();
    });
  });
}
