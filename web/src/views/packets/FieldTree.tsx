/** The fields of the selected packet: one Tab stop, and arrows that move, open and fold. */

import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { seenOf, type TreeNode } from "../../models/packet-tree";
import { useDashboard } from "../context";
import { Menu, useMenu } from "../ui/Menu";
import { copyAndSay, fieldItems } from "./actions";
import { useTools } from "./tools";

export function FieldTree() {
  const tools = useTools();
  const { notices } = useDashboard();
  const { detail, table } = tools;
  const tree = useRef<HTMLDivElement>(null);
  const { menu, open } = useMenu();
  const current = detail.current.value;
  const pinned = detail.pinned.value;
  const marked = detail.marked.value;
  const visible = detail.visible.value;
  const shownMark = marked && seenOf(marked, visible);

  // A byte brings its field into view.
  useSignalEffect(() => {
    const node = detail.marked.value;
    const seen = node && seenOf(node, detail.visible.value);
    const key = seen?.key ?? detail.current.peek()?.key;
    if (key === undefined || tree.current?.matches(":hover")) return;
    requestAnimationFrame(() => {
      if (node !== null) lineOf(tree.current, key)?.scrollIntoView({ block: "nearest" });
    });
  });

  const move = (node: TreeNode | null | undefined): void => {
    if (node == null) return;
    detail.go(node);
    detail.pin(node);
    requestAnimationFrame(() => {
      // A menu that was opened meanwhile keeps the focus.
      if (tree.current?.contains(document.activeElement)) lineOf(tree.current, node.key)?.focus();
    });
  };
  const jump = async ({ jump: number }: TreeNode): Promise<void> => {
    const why = number > 0 ? await table.goTo(String(number)) : "";
    if (why !== "") notices.say(why);
  };
  const openMenu = (node: TreeNode, at: Element | MouseEvent): void => {
    detail.pin(node);
    open(`Actions for ${node.field.label}`, fieldItems(tools, notices, node.field), at);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const node = detail.current.peek();
    if (node === null) return;
    const { key } = event;
    const line = lineOf(tree.current, node.key);
    if (event.ctrlKey || event.metaKey) {
      if (key !== "c" || String(getSelection()) !== "") return;
      void copyAndSay(notices, node.field.text || node.field.label, "Value");
      event.preventDefault();
      return;
    }
    const at = visible.indexOf(node);
    const isOpen = detail.isOpen(node);
    const keys: Record<string, () => void> = {
      ArrowDown: () => move(visible[at + 1]),
      ArrowUp: () => move(visible[at - 1]),
      Home: () => move(visible[0]),
      End: () => move(visible.at(-1)),
      ArrowRight: () => {
        if (isOpen) move(node.children[0]);
        else detail.fold(node, true);
      },
      ArrowLeft: () => {
        if (isOpen && node.children.length > 0) detail.fold(node, false);
        else move(node.parent);
      },
      Enter: () => (node.jump > 0 ? jump(node) : detail.pin(node)),
      " ": () => detail.fold(node, !isOpen),
      ContextMenu: () => line && openMenu(node, line),
      F10: () => event.shiftKey && line && openMenu(node, line),
    };
    const action = keys[key];
    if (action === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };

  return (
    <>
      <div
        ref={tree}
        class="tree"
        role="tree"
        aria-label="Fields"
        tabIndex={-1}
        onKeyDown={onKeyDown}
        onMouseLeave={() => detail.hover(null)}
      >
        {visible.map((node) => (
          <Line
            key={node.key}
            node={node}
            isCurrent={node === current}
            isPinned={node === pinned}
            isMarked={node === shownMark}
            onJump={() => jump(node)}
            onMenu={(at) => openMenu(node, at)}
          />
        ))}
      </div>
      <Menu menu={menu} />
    </>
  );
}

interface LineProps {
  readonly node: TreeNode;
  readonly isCurrent: boolean;
  readonly isPinned: boolean;
  readonly isMarked: boolean;
  readonly onJump: () => void;
  readonly onMenu: (at: Element | MouseEvent) => void;
}

function Line({ node, isCurrent, isPinned, isMarked, onJump, onMenu }: LineProps) {
  const { detail } = useTools();
  const { field, depth, children, isNote, jump } = node;
  const isParent = children.length > 0;
  const isOpen = isParent && detail.isOpen(node);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys of its lines
    <div
      class={`node${depth === 0 ? " layer" : ""}${isMarked ? " marked" : ""}${isNote ? " note" : ""}`}
      role="treeitem"
      aria-level={depth + 1}
      aria-expanded={isParent ? isOpen : undefined}
      aria-selected={isPinned}
      tabIndex={isCurrent ? 0 : -1}
      data-key={node.key}
      style={{ "--depth": depth }}
      title={field.name}
      onMouseEnter={() => detail.hover(node)}
      onClick={() => {
        // Text that was selected is to be copied.
        if (String(getSelection()) === "") detail.pin(node);
      }}
      onDblClick={() => detail.fold(node, !isOpen)}
      onContextMenu={onMenu}
    >
      <button
        type="button"
        class="twist"
        tabIndex={-1}
        hidden={!isParent}
        aria-label={`${isOpen ? "Fold" : "Open"} ${field.label}`}
        onClick={(event) => {
          event.stopPropagation();
          detail.fold(node, !isOpen);
        }}
      >
        {isOpen ? "▾" : "▸"}
      </button>
      <span class="name">{field.label}</span>
      <span class="value mono">{field.text}</span>
      {jump > 0 && (
        <button type="button" class="text-button" tabIndex={-1} onClick={onJump}>
          Go to packet {jump}
        </button>
      )}
      <button
        type="button"
        class="more"
        tabIndex={-1}
        aria-label={`Actions for ${field.label}`}
        aria-haspopup="menu"
        title="Filter, add as a column, copy"
        onClick={(event) => {
          event.stopPropagation();
          onMenu(event.currentTarget);
        }}
      >
        ⋯
      </button>
    </div>
  );
}

function lineOf(tree: HTMLElement | null, key: string): HTMLElement | null {
  return tree?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
}
