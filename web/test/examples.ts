/** What the API gives, to be varied. */

import type {
  ActiveRule,
  Adapter,
  Capture,
  CaptureFile,
  ConnectedClient,
  ImpairmentCounters,
  Network,
  NetworkHost,
  Recorder,
  Session,
  SessionImpairment,
  System,
} from "../src/api/types";

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
    other_routes: [],
    other_routes_total: 0,
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
    native: true,
    libpcap: "1.10.6",
    elevated: true,
    driver: "wintun",
    unavailable: null,
    scopes: ["admin"],
    limits: {} as System["limits"],
    ...changes,
  };
}

export function rule(changes: Partial<ActiveRule> = {}): ActiveRule {
  const set = { match: null, preset: null, received: null, injected: null, scenario: null };
  return { ...set, now_received: null, now_injected: null, progress: null, ...changes };
}

/** `packets` of 100 bytes each were offered and delivered, but for those that `changes` names. */
export function fates(
  offered = 0,
  changes: Readonly<Record<string, number>> = {},
): ImpairmentCounters {
  const names = ["duplicated", "lost", "limit", "blackout", "too_large", "dropped", "delayed"];
  const more = ["corrupted", "reordered"];
  const lost = names.slice(1).reduce((sum, name) => sum + (changes[name] ?? 0), 0);
  const packets: Record<string, number> = {
    offered,
    delivered: offered + (changes["duplicated"] ?? 0) - lost,
    ...Object.fromEntries([...names, ...more].map((name) => [name, changes[name] ?? 0])),
  };
  const counts = Object.entries(packets).map(([name, value]) => [
    name,
    { packets: value, bytes: 100 * value },
  ]);
  return { ...Object.fromEntries(counts), too_big_replies: 0 } as ImpairmentCounters;
}

export function impairment(changes: Partial<SessionImpairment> = {}): SessionImpairment {
  return {
    session: "5f0c9d1e2b3a",
    adapter: GUID,
    summary: "received delay 60ms",
    seed: 7,
    on_change: "deliver",
    set_at: TIME,
    rules: [rule({ now_received: { delay_ms: 60 } as ActiveRule["now_received"] })],
    received: fates(),
    injected: fates(),
    ...changes,
  };
}

export function recorder(changes: Partial<Recorder> = {}): Recorder {
  return {
    session: "5f0c9d1e2b3a",
    adapter: GUID,
    seconds: 120,
    bytes: 64 * 1024 * 1024,
    set_at: TIME,
    packets: 10,
    used: 1000,
    oldest: TIME,
    newest: TIME,
    recorded: 10,
    expired: 0,
    displaced: 0,
    ...changes,
  };
}

export function file(changes: Partial<CaptureFile> = {}): CaptureFile {
  return {
    number: 1,
    name: "office-00001-20260102T030405Z.pcapng",
    packets: 10,
    bytes: 2048,
    first: TIME,
    last: TIME,
    complete: false,
    ...changes,
  };
}

export function capture(changes: Partial<Capture> = {}): Capture {
  return {
    id: "c0ffee12ab34",
    name: "office",
    state: "running",
    reason: null,
    detail: null,
    adapters: null,
    pool: null,
    direction: "both",
    filter: "",
    snaplen: 0,
    marks: false,
    stop: {},
    rotate: {},
    keep: {},
    trigger: null,
    created_by: "grafana",
    created_at: TIME,
    triggered_at: null,
    ended_at: null,
    interfaces: 1,
    packets: 10,
    lost: 0,
    unwritten: 0,
    bytes: 2048,
    files: [file()],
    deleted_files: 0,
    ...changes,
  };
}

export function host(changes: Partial<NetworkHost> = {}): NetworkHost {
  return {
    id: "abcdefghijkl",
    name: "hub",
    state: "attached",
    adapter: "OfficeNet",
    prefixes: ["10.6.7.7/32"],
    adapters: [{ name: "OfficeNet", state: "up" }],
    sent: 0,
    delivered: 0,
    lost: {},
    clock_offset_ms: 0,
    since: TIME,
    seen: TIME,
    ...changes,
  };
}

export function network(changes: Partial<Network> = {}): Network {
  return {
    name: "lab",
    host: "abcdefghijkl",
    connected: true,
    reported_at: TIME,
    hosts: [host()],
    more_hosts: 0,
    ...changes,
  };
}

export function connected(changes: Partial<ConnectedClient> = {}): ConnectedClient {
  return {
    id: "a3f1c2d4e5b6",
    kind: "packets",
    token: "9f86d081",
    token_label: "grafana",
    scopes: ["capture", "read"],
    browser: false,
    own: false,
    address: "127.0.0.1",
    port: 53412,
    user_agent: "curl/8.5.0",
    connected_at: TIME,
    subprotocol: "v1.batch.wintun-api",
    session: "5f0c9d1e2b3a",
    adapter: GUID,
    adapter_name: "OfficeNet",
    direction: "both",
    overflow: "drop_oldest",
    queue: { length: 3, bytes: 2048, max_length: 16384, max_bytes: 16777216 },
    delivered: 1042,
    injected: 0,
    lost: {},
    ...changes,
  };
}
