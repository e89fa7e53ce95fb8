/** The selected packet as a tree: its layers, what other packets say of it, and what is open. */

import { type Field, UNSEEN } from "../packet/dissection";

/** A line of the tree. */
export interface TreeNode {
  /** Unique within the packet. */
  readonly key: string;
  readonly field: Field;
  readonly depth: number;
  readonly parent: TreeNode | null;
  readonly children: readonly TreeNode[];
  /** Whether it comes from other packets, not from these bytes. */
  readonly isNote: boolean;
  /** The number of the packet that it leads to; 0 for none. */
  readonly jump: number;
}

/** Parts of a layer that are of little interest until they are opened. */
const FOLDED = /flags$|checksum$|dsfield$/;
const JUMP = /(?:_in|_to|\.reused_ports|_frame)$/;

/** Return the layers as nodes; notes stand in the layer that they are about, or behind all. */
export function treeOf(layers: readonly Field[], notes: readonly Field[]): readonly TreeNode[] {
  const left = new Set(notes);
  const nodes: TreeNode[] = [];
  const lastOf = new Map(layers.map((layer, index) => [layer.name, index]));
  for (const [index, layer] of layers.entries()) {
    const own: Field[] = [];
    if (lastOf.get(layer.name) === index) {
      for (const note of left) if (note.name.startsWith(`${layer.name}.`)) own.push(note);
    }
    for (const note of own) left.delete(note);
    nodes.push(layerOf(layer, own, String(index)));
  }
  for (const note of left) nodes.push(nodeOf(note, note.name, null, 0, true));
  return nodes;
}

/** Put each note before the field that has its raw value, and the others at the end. */
function layerOf(layer: Field, notes: readonly Field[], key: string): TreeNode {
  const children: TreeNode[] = [];
  const node: TreeNode = { ...plain(layer, key, null, 0, false), children };
  const left = new Set(notes);
  // The keys of fields stay what they were when notes come later.
  const addNote = (note: Field): void => {
    const before = notes.slice(0, notes.indexOf(note)).filter(({ name }) => name === note.name);
    const place = before.length || "";
    children.push(nodeOf(note, `${key}.${note.name}${place}`, node, 1, true));
    left.delete(note);
  };
  for (const [index, field] of layer.fields.entries()) {
    for (const note of left) if (field.name === `${note.name}_raw`) addNote(note);
    children.push(nodeOf(field, `${key}.${index}`, node, 1, false));
  }
  for (const note of left) addNote(note);
  return node;
}

function nodeOf(
  field: Field,
  key: string,
  parent: TreeNode | null,
  depth: number,
  isNote: boolean,
): TreeNode {
  const children: TreeNode[] = [];
  const node: TreeNode = { ...plain(field, key, parent, depth, isNote), children };
  for (const [index, one] of field.fields.entries()) {
    if (one.label === UNSEEN) continue;
    children.push(nodeOf(one, `${key}.${index}`, node, depth + 1, isNote));
  }
  return node;
}

function plain(
  field: Field,
  key: string,
  parent: TreeNode | null,
  depth: number,
  isNote: boolean,
): Omit<TreeNode, "children"> {
  const isJump = isNote && JUMP.test(field.name) && typeof field.value === "number";
  return { key, field, depth, parent, isNote, jump: isJump ? Number(field.value) : 0 };
}

/**
 * Say whether a node is open: as the reader left those of its name, else the last layer and what
 * is malformed.
 */
export function isOpen(
  node: TreeNode,
  roots: readonly TreeNode[],
  folds: ReadonlyMap<string, boolean>,
): boolean {
  const chosen = folds.get(node.field.name);
  if (node.depth > 0) return chosen ?? !FOLDED.test(node.field.name);
  // What is malformed is said behind the layer that is, and has no fields.
  const last = roots.findLast(({ children }) => children.length > 0);
  return chosen ?? (node === last || node.field.name === "_ws.malformed");
}

/** Return the nodes that can be seen, from top to bottom. */
export function visibleNodes(
  roots: readonly TreeNode[],
  folds: ReadonlyMap<string, boolean>,
): readonly TreeNode[] {
  const found: TreeNode[] = [];
  const add = (nodes: readonly TreeNode[]): void => {
    for (const node of nodes) {
      found.push(node);
      if (node.children.length > 0 && isOpen(node, roots, folds)) add(node.children);
    }
  };
  add(roots);
  return found;
}

/** Return the innermost node that a byte belongs to. */
export function nodeAt(nodes: readonly TreeNode[], at: number): TreeNode | null {
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    if (node === undefined || node.isNote) continue;
    const deeper = nodeAt(node.children, at);
    if (deeper !== null) return deeper;
    if (at >= node.field.start && at < node.field.end) return node;
  }
  return null;
}

/** Return the node that can be seen: this one, or the nearest around it that is not folded away. */
export function seenOf(node: TreeNode, visible: readonly TreeNode[]): TreeNode | null {
  for (let one: TreeNode | null = node; one !== null; one = one.parent) {
    if (visible.includes(one)) return one;
  }
  return null;
}

/** Return the node whose bytes come next after, or before, those of another. */
export function neighbour(
  roots: readonly TreeNode[],
  length: number,
  from: TreeNode | null,
  step: 1 | -1,
): TreeNode | null {
  if (from === null) return nodeAt(roots, step > 0 ? 0 : length - 1);
  for (
    let at = step > 0 ? from.field.end : from.field.start - 1;
    at >= 0 && at < length;
    at += step
  ) {
    const node = nodeAt(roots, at);
    if (node !== null && node !== from) return node;
  }
  return null;
}

/** "Bytes 8–9: Checksum (ip.checksum), 0x1234 (correct)". */
export function aboutNode({ field }: TreeNode): string {
  const { start, end, label, name, text } = field;
  const which = end - start === 1 ? `Byte ${start}` : `Bytes ${start}–${end - 1}`;
  const called = name === "" ? "" : ` (${name})`;
  return `${end > start ? `${which}: ` : ""}${label}${called}${text === "" ? "" : `, ${text}`}`;
}
