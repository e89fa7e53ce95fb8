/** What the API gives, to be varied. */

import type { Adapter, Session, System } from "../src/api/types";

export const GUID = "deadbabe-cafe-beef-0123-456789abcdef";
export const TIME = "2026-01-02T03:04:05Z";

export function adapter(changes: Partial<Adapter> = {}): Adapter {
  return {
    guid: GUID,
    name: "OfficeNet",
    pool: "WireGuard",
    luid: 14918173782441984,
    interface_index: 7,
    interface_name: "OfficeNet",
    wintun_name: "OfficeNet",
    mtu: 1420,
    addresses: ["10.6.7.7/24"],
    families: [4, 6],
    metric: null,
    routes: [],
    dns: [],
    dns_search: [],
    wanted: null,
    difference: null,
    unavailable: null,
    link_up: true,
    state: "up",
    persistent: true,
    managed: true,
    orphan: false,
    session: null,
    reboot_required: false,
    ...changes,
  };
}

export function counters(received = 0, injected = 0): Session["counters"] {
  return {
    received: { packets: received, bytes: 100 * received },
    injected: { packets: injected, bytes: 100 * injected },
    lost: {
      ring: null,
      truncated: 0,
      unclaimed: 0,
      queue: 0,
      ended: 0,
      ring_full: 0,
      rejected: {},
      refused: {},
      failed: 0,
    },
    ring_corrupt: 0,
  };
}

export function session(changes: Partial<Session> = {}): Session {
  return {
    id: "5f0c9d1e2b3a",
    adapter: GUID,
    capacity: 0x400000,
    state: "running",
    reason: null,
    win32_code: null,
    started_at: TIME,
    ended_at: null,
    restarts: 0,
    subscribers: 0,
    counters: counters(),
    ...changes,
  };
}

export function system(changes: Partial<System> = {}): System {
  return {
    version: "0.1.0",
    started_at: TIME,
    platform: "Windows-11",
    architecture: "AMD64",
    python: "3.13.5",
    elevated: true,
    driver: "wintun",
    unavailable: null,
    scopes: ["admin"],
    limits: {} as System["limits"],
    ...changes,
  };
}
