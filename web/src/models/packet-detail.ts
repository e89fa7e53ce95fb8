/** The selected packet as it is read: what is open, pointed at and chosen, in tree and bytes alike. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Field } from "../packet/dissection";
import type { PacketTableModel } from "./packet-table";
import { isOpen, nodeAt, seenOf, type TreeNode, treeOf, visibleNodes } from "./packet-tree";
import type { TableLayout } from "./table-layout";

const NONE: readonly Field[] = [];

export class PacketDetailModel {
  readonly roots: ReadonlySignal<readonly TreeNode[]>;
  readonly visible: ReadonlySignal<readonly TreeNode[]>;
  /** What is marked: what the pointer is on, else what was chosen. */
  readonly marked: ReadonlySignal<TreeNode | null>;
  readonly pinned: ReadonlySignal<TreeNode | null>;
  /** The line of the tree that keys go to. */
  readonly current: ReadonlySignal<TreeNode | null>;

  private readonly hoverKey = signal("");
  private readonly pinKey = signal("");
  private readonly currentKey = signal("");
  private readonly byKey: ReadonlySignal<ReadonlyMap<string, TreeNode>>;

  constructor(
    private readonly table: PacketTableModel,
    private readonly layout: TableLayout,
  ) {
    const notes = this.notes();
    this.roots = computed(() => treeOf(table.selected.value?.decoded.layers ?? [], notes.value));
    this.visible = computed(() => visibleNodes(this.roots.value, layout.folds.value));
    this.byKey = computed(() => {
      const all = new Map<string, TreeNode>();
      const add = (node: TreeNode): void => {
        all.set(node.key, node);
        node.children.forEach(add);
      };
      this.roots.value.forEach(add);
      return all;
    });
    const found = (key: string): TreeNode | null => this.byKey.value.get(key) ?? null;
    this.pinned = computed(() => found(this.pinKey.value));
    this.marked = computed(() => found(this.hoverKey.value) ?? this.pinned.value);
    this.current = computed(() => {
      const node = found(this.currentKey.value) ?? this.pinned.value;
      const visible = this.visible.value;
      return (node && seenOf(node, visible)) ?? visible.find(this.isLast) ?? visible[0] ?? null;
    });
    table.selected.subscribe(() => this.forget());
  }

  /** Point at a node; null points at none. */
  hover(node: TreeNode | null): void {
    this.hoverKey.value = node?.key ?? "";
  }

  /** Point at the field of a byte. */
  hoverByte(at: number): void {
    this.hover(nodeAt(this.roots.peek(), at));
  }

  /** Choose a node, and open what it lies in. */
  pin(node: TreeNode | null): void {
    this.pinKey.value = node?.key ?? "";
    if (node === null) return;
    for (let one = node.parent; one !== null; one = one.parent) {
      if (!this.isOpen(one)) this.layout.fold(one.field.name, true);
    }
    this.currentKey.value = node.key;
  }

  /** Choose the field of a byte; the one that is chosen already is let go. */
  pinByte(at: number): void {
    const node = nodeAt(this.roots.peek(), at);
    this.pin(node?.key === this.pinKey.peek() ? null : node);
  }

  /** Let the keys go to a line. */
  go(node: TreeNode): void {
    this.currentKey.value = node.key;
  }

  isOpen(node: TreeNode): boolean {
    return isOpen(node, this.roots.value, this.layout.folds.value);
  }

  fold(node: TreeNode, isOpened: boolean): void {
    if (node.children.length > 0) this.layout.fold(node.field.name, isOpened);
  }

  private readonly isLast = (node: TreeNode): boolean => node === this.roots.value.at(-1);

  private forget(): void {
    this.hoverKey.value = this.pinKey.value = this.currentKey.value = "";
  }

  /** What other packets say of the selected one; the same list while it says the same. */
  private notes(): ReadonlySignal<readonly Field[]> {
    const { engine } = this.table.capture;
    let [before, said] = [NONE, ""];
    return computed(() => {
      void engine.version.value;
      const row = this.table.selected.value?.row;
      const notes = (row === undefined ? undefined : engine.notes(row)) ?? NONE;
      const now = `${row} ${notes.map(({ name, text }) => `${name} ${text}`).join("\n")}`;
      if (now !== said) [before, said] = [notes, now];
      return before;
    });
  }
}
