/** Every model of the page, made once and known to each other. */

import { computed, effect, signal, untracked } from "@preact/signals";
import { Client } from "../api/client";
import type { EventMessage, ServiceEvent } from "../api/events";
import { pastEvents } from "../api/history";
import type { Store } from "../api/store";
import type { Session, System } from "../api/types";
import { AccessModel } from "./access";
import { AdapterListModel } from "./adapter-list";
import { AdaptersModel } from "./adapters";
import type { AnswersModel } from "./answers";
import { CaptureModel } from "./capture";
import { keepLimits } from "./capture-limits";
import { CapturesModel } from "./captures";
import { ChosenAdapter } from "./chosen-adapter";
import type { ComposeModel } from "./compose";
import { ConnectionModel } from "./connection";
import type { ConversationListModel } from "./conversation-list";
import { DialogsModel } from "./dialogs";
import { EngineModel, type EngineState, type WorkerPort, workerInProcess } from "./engine";
import { EventLogModel } from "./event-log";
import { eventText } from "./event-text";
import type { FollowModel } from "./follow";
import { NetworksModel } from "./networks";
import { type Notice, NoticesModel } from "./notices";
import type { PacketTableModel } from "./packet-table";
import { ServiceModel } from "./service";
import { isRunning, SessionsModel } from "./sessions";
import { SignInModel } from "./sign-in";
import type { ThemeModel } from "./theme";
import { TrafficModel } from "./traffic";
import { plainName } from "./visible";
import type { Workbench } from "./workbench";

/** Where the page came from. */
export interface Place {
  readonly protocol: string;
  readonly host: string;
  /** `?token=wrong`, when the service did not take the token of the address. */
  readonly search: string;
  /** What the token of this browser allows, where the service gave the page for that reason. */
  readonly allows?: string | null;
  /** Start the worker; without this it runs in the page's own thread. */
  readonly startWorker?: () => WorkerPort;
  /** Loads the page that the address names, where that is not the dashboard. */
  readonly reload?: () => void;
}

const NOT_SIGNED_IN =
  "Open the address that wintun-api printed when it started, or paste its token here.";
const BAD_TOKEN =
  "The token in the address is wrong, expired or revoked. A restarted service may have " +
  "a new one: see what it printed.";
const NO_KEY =
  "This browser no longer has the key of its sign-in. Open the address that wintun-api " +
  "printed, or paste its token here.";
const SIGNED_OUT = "You are signed out. The token is still valid.";
const NOT_VALID =
  "The sign-in is no longer valid: the token expired or was revoked, or this browser was signed " +
  "out because the token was used to sign in many times. Sign in again. " +
  "The packets in this tab are kept.";

/** What has a mark on the time axis of the charts. */
const MARKED =
  /^(session\.(started|restarted|ended|failed)|adapter\.(created|deleted)|impairment\.(set|step|removed)|recorder\.|capture\.(started|triggered|stopped|failed))/;

export class Dashboard {
  private readonly client: Client;
  readonly signIn: SignInModel;
  readonly connection: ConnectionModel;
  readonly service: ServiceModel;
  readonly adapters: AdaptersModel;
  /** The adapter whose packets are shown. */
  readonly chosen: ChosenAdapter;
  readonly sessions: SessionsModel;
  /** The adapters as the overview lists them. */
  readonly list: AdapterListModel;
  readonly log: EventLogModel;
  readonly traffic = new TrafficModel();
  readonly capture: CaptureModel;
  readonly captures: CapturesModel;
  readonly access: AccessModel;
  readonly networks: NetworksModel;
  /** Null until a view that needs the decoder is shown. */
  readonly workbench = signal<Workbench | null>(null);
  /** The session that is injected into: the running one of the chosen adapter. */
  readonly target = computed(() => {
    // An answer that was under way when the adapter went may still tell of its session.
    if (this.chosen.targetState.value !== "there") return null;
    const session = this.sessions.of(this.chosen.target.value);
    return session !== undefined && isRunning(session) ? session : null;
  });
  readonly dialogs = new DialogsModel();
  readonly notices = new NoticesModel();

  /** Whether the service gave this page to the browser's cookie. */
  private hasCookie = false;
  private wasSignedIn = false;
  /** When the service started, and whether it did so since the last snapshot. */
  private startedAt = "";
  private isAnew = false;
  private hasPast = false;
  /** The news that the worker failed, and whether one is to be started when the service is back. */
  private toldOfEngine: Notice | null = null;
  private isEngineAwaited = false;
  private engineState: EngineState | null = null;
  /** The id of the stream of events in the list of clients. */
  eventsClient: string | undefined;

  constructor(
    private readonly place: Place,
    readonly theme: ThemeModel,
    /** What outlives the page. */
    readonly store: Store,
  ) {
    const { protocol, host } = place;
    const client = new Client(`${protocol === "https:" ? "wss" : "ws"}://${host}`, store);
    this.client = client;
    this.service = new ServiceModel(client);
    this.adapters = new AdaptersModel(client);
    this.log = new EventLogModel((guid) => this.nameOf(guid), store);
    this.chosen = new ChosenAdapter(() => this.adapters.list.value);
    this.sessions = new SessionsModel(client);
    const engine = new EngineModel(place.startWorker ?? workerInProcess);
    this.capture = new CaptureModel(client, this.traffic, engine);
    this.capture.onDropped = (names) =>
      this.notices.say(`There was no room to keep the packets of ${names.join(", ")}.`);
    this.list = new AdapterListModel(this.adapters, this.sessions);
    keepLimits(this.capture, store);
    this.captures = new CapturesModel(client);
    this.access = new AccessModel(client, () => [
      this.eventsClient,
      this.capture.hello.peek()?.client,
    ]);
    this.networks = new NetworksModel(client);
    this.connection = new ConnectionModel(client, {
      onSystem: (system) => this.onSystem(system),
      onMessage: (message) => this.onEvent(message),
      onRefused: () => {
        this.onSignedOut(noRead(this.place.allows ?? ""));
        this.signIn.isHeld.value = true;
      },
    });
    this.signIn = new SignInModel(
      client,
      () => (place.reload ? place.reload() : void this.signInWith(null)),
      () => this.onSignedOut(SIGNED_OUT),
    );
    client.onUnauthorized = () => this.onSignedOut(this.signInReason());
    this.sessions.onCounters = (session, timeMs) => {
      const startedMs = Date.parse(session.started_at);
      this.traffic.sample(session.adapter, session.id, session.counters, timeMs, startedMs);
    };
    effect(() => {
      const state = engine.state.value;
      const isAway = this.connection.isAway.value;
      untracked(() => this.tellOfEngine(engine, state, isAway));
    });
    effect(() => {
      void this.adapters.list.value;
      untracked(() => this.chosen.resolve());
    });
    effect(() => this.keepDestination());
    effect(() => {
      const running = this.sessions.running.value;
      void this.chosen.guid.value;
      void this.chosen.name.value;
      untracked(() => this.chooseSession(running));
    });
  }

  /** Load what takes packets apart; afterwards `table`, `compose`, `conversations` and `follow` are there. */
  async loadWorkbench(): Promise<void> {
    const { Workbench } = await import("./workbench");
    this.workbench.value ??= new Workbench(this.capture);
  }

  get table(): PacketTableModel {
    return this.loaded.table;
  }

  get compose(): ComposeModel {
    return this.loaded.compose;
  }

  /** What comes back for what is composed and sent. */
  get answers(): AnswersModel {
    return this.loaded.answers;
  }

  get conversations(): ConversationListModel {
    return this.loaded.conversations;
  }

  get follow(): FollowModel {
    return this.loaded.follow;
  }

  private get loaded(): Workbench {
    const workbench = this.workbench.peek();
    if (workbench === null) throw new Error("The workbench was not loaded.");
    return workbench;
  }

  /**
   * Begin. `hasCookie` says whether the service gave the page to the browser's cookie, `key` is what
   * a sign-in left in the address, and `hidden` says whether the page is out of sight.
   */
  async start(hasCookie: boolean, key: string | null, hidden: () => boolean): Promise<void> {
    this.hasCookie = hasCookie;
    effect(() => {
      const live = this.connection.state.value.name === "live";
      untracked(() => {
        for (const model of [this.sessions, this.networks]) {
          if (live) model.watch(hidden);
          else model.rest();
        }
      });
    });
    if (hasCookie) {
      await this.signInWith(key);
      return;
    }
    const isRefused = this.place.allows != null;
    if (isRefused && key !== null) await this.client.tryKey(key).catch(() => undefined);
    this.onSignedOut(this.signInReason());
    this.signIn.isHeld.value = isRefused && this.client.key !== null;
  }

  /** Connect with the key of a new sign-in, if it works, else with the one from before. */
  async signInWith(key: string | null): Promise<void> {
    if (key !== null) await this.client.tryKey(key).catch(() => undefined);
    if (this.client.key === null) this.onSignedOut(this.signInReason());
    else await this.connection.connect();
  }

  /** Another tab of this browser signed in anew, or signed out. */
  async onKeyChanged(): Promise<void> {
    if (this.client.key === null) this.onSignedOut(SIGNED_OUT);
    else await this.connection.connect();
  }

  /** The page is left, perhaps to be shown again as it is: close what is open. */
  leave(): void {
    this.connection.rest();
    this.capture.leave();
  }

  /** The page that was left is shown again. */
  async comeBack(): Promise<void> {
    this.capture.comeBack();
    await this.connection.wake();
  }

  /** Inject what is composed into the chosen adapter, and no other. */
  async inject(): Promise<void> {
    const session = this.target.value;
    const system = this.service.system.value;
    const packet = this.compose.packet.value;
    if (session === null || system === null || packet === null) return;
    this.answers.await(packet, this.capture.live);
    await this.compose.injector.run(
      this.compose.plan(),
      { guid: session.adapter, name: this.chosen.name.value },
      (message) => this.client.inject(session.id, message),
      system.limits.max_message,
    );
  }

  /** Stop sending to an adapter that is no longer the chosen one, or that is gone. */
  private keepDestination(): void {
    const injector = this.workbench.value?.compose.injector;
    const to = injector?.destination.value;
    if (injector === undefined || to == null || !injector.running.value) return;
    const chosen = this.chosen.target.value;
    const there = this.adapters.list.value.find((one) => one.guid === to.guid);
    if (there !== undefined && chosen === to.guid) return;
    const why = there ? "another adapter was chosen" : "the adapter was deleted";
    untracked(() => {
      injector.stop();
      this.notices.say(`Sending to ${plainName(there?.name ?? to.name)} stopped, because ${why}.`);
    });
  }

  private onSystem(system: System): void {
    this.wasSignedIn = true;
    this.isAnew ||= this.startedAt !== "" && this.startedAt !== system.started_at;
    this.startedAt = system.started_at;
    this.service.system.value = system;
    void this.service.loadDriver();
  }

  private onEvent(message: EventMessage): void {
    switch (message.type) {
      case "snapshot":
        this.eventsClient = message.client;
        if (this.isAnew) {
          this.chosen.renew();
          this.capture.renew();
        }
        this.adapters.reset(message.adapters);
        this.log.know(message.adapters, message.sessions);
        this.sessions.reset(message.sessions, this.isAnew);
        this.isAnew = false;
        this.captures.doubt();
        if (!this.hasPast) void this.readPast(message.oldest, message.id);
        return;
      case "missed":
        this.log.note(
          "warning",
          `${message.count} events were missed. The current state was read again.`,
        );
        return;
      case "adapter.created":
      case "adapter.changed":
        this.adapters.put(message.data);
        if (message.type === "adapter.created") void this.service.loadDriver();
        break;
      case "adapter.deleted":
        this.adapters.remove(message.data.guid);
        this.sessions.forget(message.data.guid);
        void this.service.loadDriver();
        break;
      case "session.started":
      case "session.restarted":
      case "session.ended":
      case "session.failed":
        this.sessions.put(message.data);
        break;
      case "impairment.step":
        this.sessions.putStep(message.data.session, message.data.summary);
        break;
      case "impairment.set":
      case "impairment.removed":
        this.sessions.putImpairment(message.data, message.type === "impairment.removed");
        break;
      case "recorder.set":
      case "recorder.removed":
        this.sessions.putRecorder(message.data, message.type === "recorder.removed");
        break;
      case "capture.started":
      case "capture.triggered":
      case "capture.stopped":
      case "capture.failed":
        this.captures.put(message.data);
        break;
      case "capture.deleted":
        this.captures.remove(message.data.id);
        break;
    }
    this.log.add(message);
    if (MARKED.test(message.type)) {
      const text = eventText(message, (guid) => this.log.nameOf(guid));
      this.traffic.mark(Date.parse(message.time), text, adapterOf(message));
    }
  }

  /**
   * Say that the worker failed, and take that back when one works. While the service is away, none
   * can be loaded from it: one is when the service is there again.
   */
  private tellOfEngine(engine: EngineModel, state: EngineState, isAway: boolean): void {
    const what = "The part of the page that filters packets failed";
    const { toldOfEngine: told, engineState: before } = this;
    this.engineState = state;
    if (told !== null && told === this.notices.current.peek()) this.notices.dismiss();
    this.toldOfEngine = null;
    const isBack = !isAway && this.isEngineAwaited;
    this.isEngineAwaited = isAway && state.name === "failed";
    if (isBack) {
      engine.revive();
    } else if (!isAway && state.name === "failed") {
      this.notices.fail(what, new Error(state.reason));
      this.toldOfEngine = this.notices.current.peek();
    } else if (!isAway && state.name === "restarted" && state !== before) {
      this.notices.say(`${what} and was started again. ${state.reason}`);
    }
  }

  /** The name of an adapter, also of one that is gone and of which a session is known. */
  private nameOf(guid: string): string {
    return this.adapters.find(guid)?.name ?? (this.sessions.of(guid)?.name || guid);
  }

  private async readPast(oldest: number, last: number): Promise<void> {
    this.hasPast = true;
    this.log.addPast(await pastEvents(this.client, oldest, last));
  }

  /**
   * Show the packets of the chosen adapter: of the session that runs, else of the one that is over.
   * Where none is chosen yet, that of the first session that runs is; no other takes its place.
   */
  private chooseSession(running: readonly Session[]): void {
    const { chosen, capture, sessions } = this;
    if (chosen.state.peek() === "none") {
      const first = running.find((one) => this.adapters.find(one.adapter) !== undefined);
      const adapter = first && this.adapters.find(first.adapter);
      if (adapter === undefined) return;
      chosen.choose(adapter);
    }
    const guid = chosen.guid.peek();
    const next = running.find((one) => one.adapter === guid) ?? sessions.of(guid);
    capture.show({ guid, name: chosen.name.peek() }, next?.id ?? null);
  }

  /** Forget what the service said. The packets stay, unless the reader is leaving. */
  private onSignedOut(reason: string): void {
    this.connection.signOut(reason);
    this.signIn.isHeld.value = false;
    if (reason === SIGNED_OUT) {
      this.chosen.clear();
      this.capture.forget();
    } else {
      this.capture.suspend();
    }
    this.workbench.peek()?.compose.injector.stop();
    this.sessions.reset([]);
    this.adapters.reset([]);
    this.adapters.select(null);
    this.captures.clear();
    this.access.clear();
    this.networks.clear();
    this.log.forget();
    this.hasPast = this.wasSignedIn = false;
    this.service.system.value = this.service.driver.value = null;
  }

  private signInReason(): string {
    if (this.wasSignedIn) return NOT_VALID;
    const { allows } = this.place;
    if (allows != null && !/\b(?:read|admin)\b/.test(allows)) return noRead(allows);
    if (new URLSearchParams(this.place.search).has("token")) return BAD_TOKEN;
    return this.hasCookie ? NO_KEY : NOT_SIGNED_IN;
  }
}

/** The adapter that an event is about; null if it is about none, or about several. */
function adapterOf({ data }: ServiceEvent): string | null {
  if ("adapter" in data && typeof data.adapter === "string") return data.adapter;
  return "guid" in data ? data.guid : null;
}

/** Say that a token cannot show the dashboard, and what helps. */
function noRead(allows: string): string {
  const has = allows.split(/[\s,]+/).filter(Boolean);
  const what = has.length === 0 ? "" : ` It has: ${has.join(", ")}.`;
  return `This token does not have the scope read, so the dashboard cannot be shown.${what} Sign in with another token.`;
}
