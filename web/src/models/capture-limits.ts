/** How many packets the page keeps, and how much of each. It outlives the page. */

import { effect } from "@preact/signals";
import type { Store } from "../api/store";
import type { CaptureModel } from "./capture";

const KEY = "wintun-api.limits";
/** What a store may say, so that no page is filled by a number that a bad one has. */
const MOST_PACKETS = 1_000_000;
const MOST_BYTES = 1024 ** 3;
const MOST_SNAPLEN = 65_535;

/** Set the limits that were kept, and keep them from now on. */
export function keepLimits(capture: CaptureModel, store: Store): void {
  const [packets, bytes, snaplen] = read(store);
  const now = capture.bounds.peek();
  const bounds = {
    packets: within(packets, 1, MOST_PACKETS, now.packets),
    bytes: within(bytes, 1024, MOST_BYTES, now.bytes),
  };
  if (bounds.packets !== now.packets || bounds.bytes !== now.bytes) capture.bound(bounds);
  capture.cut(within(snaplen, 0, MOST_SNAPLEN, capture.snaplen.peek()));
  effect(() => {
    const { packets, bytes } = capture.bounds.value;
    store.setItem(KEY, JSON.stringify([packets, bytes, capture.snaplen.value]));
  });
}

function within(value: unknown, least: number, most: number, otherwise: number): number {
  const fits = Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
  return fits ? Number(value) : otherwise;
}

function read(store: Store): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(store.getItem(KEY) ?? "[]");
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
