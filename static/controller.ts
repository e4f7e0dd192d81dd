/** Carries out what people do on the page and what the server answers: what to send, when, and what becomes of the state. */
import { type ErrorFrame, type Member, MEMBERS_LISTED, type ServerFrame, TYPING_SECONDS } from "../chat/protocol.ts";
import type { Clock } from "../client/clock.ts";
import type { Connection, ConnectionStatus } from "../client/connection.ts";
import * as outboxes from "../client/outbox.ts";
import { OwnName, type RenameAnswer } from "../client/own_name.ts";
import type { KeyValueStorage } from "../client/storage.ts";
import { Timers } from "../client/timers.ts";
import type { Place } from "./lib/address.ts";
import { type CallApi, createModerator, type Moderator } from "./lib/moderator.ts";
import { loadMuted, mute, MUTED_KEY, saveMuted, unmute } from "./lib/mutes.ts";
import { historyEnd, type HistoryPage } from "../client/room/room_log.ts";
import { initialState, type Notice, type State } from "./state.ts";
import { apply, type Event } from "./store.ts";

export interface ControllerOptions {
  connect(
    handlers: { onFrames: (frames: ServerFrame[]) => void; onStatus: (status: ConnectionStatus) => void },
  ): Connection;
  /** The newest messages before `before`; rejects when they can't be loaded now. */
  fetchHistory(room: string, before: number): Promise<HistoryPage>;
  callApi: CallApi;
  /** Storage of this tab, and of this browser. */
  storage: { tab: KeyValueStorage; browser: KeyValueStorage };
  clock: Clock;
  /** From 0 up to, not including, 1. */
  random: () => number;
  newId: () => string;
  onChange: (state: State) => void;
}

export class Controller {
  readonly moderator: Moderator;
  readonly #options: ControllerOptions;
  readonly #connection: Connection;
  readonly #name: OwnName;
  readonly #timers: Timers<"outbox" | "typing" | "join">;
  #state: State;
  /** The id of the request to join that is not answered yet. */
  #joining: string | null = null;
  /** Rooms that we joined only to send them what was still in the outbox. */
  readonly #visits = new Set<string>();
  #typingSentAt = -Infinity;

  constructor(options: ControllerOptions) {
    const { storage, clock, newId } = options;
    this.#options = options;
    this.#timers = new Timers(clock);
    this.#state = { ...initialState("", outboxes.load(storage.tab)), muted: loadMuted(storage.browser) };
    this.#connection = options.connect({
      onFrames: (frames) => this.#receive(frames),
      onStatus: (status) => this.#setStatus(status),
    });
    this.#name = new OwnName({
      storage: storage.browser,
      newId,
      send: (frame) => this.#connection.send(frame),
    });
    this.moderator = createModerator({
      call: options.callApi,
      storage: storage.tab,
      changed: (moderation) => this.#dispatch({ kind: "moderation", moderation }),
    });
  }

  get state(): State {
    return this.#state;
  }

  start(): void {
    this.#connection.start();
    this.moderator.start();
  }

  stop(): void {
    this.#connection.stop();
  }

  retryNow(): void {
    this.#connection.retry();
  }

  /** The network is back or gone, or someone looks at the page again. */
  wake(online: boolean): void {
    this.#dispatch({ kind: "online", online });
    this.#connection.wake();
  }

  /** Goes to another room. An address without a room shows why it has none. */
  enter(place: Place): void {
    const { room } = place;
    const left = this.#state.room;
    if (left.joined && left.name !== room) this.#connection.send({ action: "leave_room", room: left.name });
    const problem = place.room === null ? { code: place.problem, message: "" } : undefined;
    this.#dispatch({ kind: "entered", room: room ?? "", problem, meant: place.room === null ? place.meant : null });
    this.#typingSentAt = -Infinity;
    this.#join();
  }

  /** @returns false when the outbox is full: then the text stays where it was typed */
  write(text: string): boolean {
    return this.#enqueue({ action: "send_message", room: this.#state.room.name, text, id: this.#options.newId() });
  }

  edit(target: number, text: string): boolean {
    const room = this.#state.room.name;
    return this.#enqueue({ action: "edit_message", room, target, text, id: this.#options.newId() });
  }

  remove(target: number): boolean {
    return this.#enqueue({
      action: "delete_message",
      room: this.#state.room.name,
      target,
      id: this.#options.newId(),
    });
  }

  /** Sends a refused action again. */
  retry(id: string): void {
    this.#dispatch({ kind: "outbox", outbox: outboxes.retry(this.#state.outbox, id) });
  }

  discard(id: string): void {
    this.#dispatch({ kind: "outbox", outbox: outboxes.remove(this.#state.outbox, id) });
  }

  /** The composer has text in it. Sent at most as often as the server passes it on, and not to a crowd. */
  typing(): void {
    const { room } = this.#state;
    const now = this.#options.clock.now();
    if (!room.joined || room.count > MEMBERS_LISTED || now - this.#typingSentAt < TYPING_SECONDS * 1_000) return;
    this.#typingSentAt = now;
    this.#connection.send({ action: "typing", room: room.name });
  }

  async rename(name: string): Promise<RenameAnswer> {
    if (this.#state.status.kind !== "connected") return { kind: "offline" };
    return await this.#name.request(name);
  }

  /** Loads the page before the oldest message, unless one is loading. */
  async loadOlder(): Promise<void> {
    const { name, position, more, history } = this.#state.room;
    if (!more || history === "loading" || !position) return;
    const end = historyEnd(this.#state.room);
    this.#dispatch({ kind: "history_requested" });
    const page = await this.#options.fetchHistory(name, end).catch(() => null);
    const { room } = this.#state;
    // Meanwhile the reader may have gone to another room, or a join may have replaced the messages.
    if (room.name !== name || room.history !== "loading" || historyEnd(room) !== end) return;
    if (page?.epoch !== room.position?.epoch) this.#dispatch({ kind: "history_failed" });
    else if (page) this.#dispatch({ kind: "history_loaded", page });
  }

  /** Whether the page can be seen, and whether the reader is at the newest message. */
  reading(visible: boolean, following: boolean): void {
    this.#dispatch({ kind: "reading", visible, following });
    if (following && this.#state.room.truncated && this.#joining === null) this.#join();
  }

  mute(member: Member): void {
    this.#setMuted(mute(this.#state.muted, member));
  }

  unmute(user: string): void {
    this.#setMuted(unmute(this.#state.muted, user));
  }

  /** Another tab has changed what is stored in this browser; `key` is null when it has deleted all of it. */
  storageChanged(key: string | null): void {
    if (key !== MUTED_KEY && key !== null) return;
    this.#dispatch({ kind: "muted", muted: loadMuted(this.#options.storage.browser) });
  }

  notify(notice: Notice | null): void {
    this.#dispatch({ kind: "notice", notice });
  }

  #dispatch(event: Event): void {
    const before = this.#state;
    const state = this.#state = apply(before, event);
    if (state === before) return;
    const { clock, storage } = this.#options;
    if (state.outbox.items !== before.outbox.items) outboxes.save(storage.tab, state.outbox);
    if (state.room.typing !== before.room.typing && state.room.typing.length > 0) {
      const first = Math.min(...state.room.typing.map((typist) => typist.until));
      this.#setTimer("typing", first, () => this.#dispatch({ kind: "time", now: clock.now() }));
    }
    this.#options.onChange(state);
    if (state.outbox !== before.outbox || state.room.joined !== before.room.joined) this.#sendOutbox();
  }

  /** Sends what may be sent now, and sets a timer for when more may be. */
  #sendOutbox(): void {
    const { status, room } = this.#state;
    if (status.kind !== "connected" || !(room.joined || room.problem)) return;
    const due = outboxes.next(this.#state.outbox, this.#options.clock.now());
    if (due) {
      this.#connection.send(due.frame);
      this.#dispatch({ kind: "outbox", outbox: due.outbox });
    }
    const wake = outboxes.wakeAt(this.#state.outbox);
    if (wake !== null) this.#setTimer("outbox", wake, () => this.#sendOutbox());
    this.#endVisits();
  }

  /** Leaves the rooms for which nothing waits any more. */
  #endVisits(): void {
    const { outbox, room } = this.#state;
    for (const visited of this.#visits) {
      if (outbox.items.some((item) => item.frame.room === visited && item.error === null)) continue;
      this.#visits.delete(visited);
      if (visited !== room.name) this.#connection.send({ action: "leave_room", room: visited });
    }
  }

  #setStatus(status: ConnectionStatus): void {
    if (status.kind !== "connected") {
      this.#joining = null;
      this.#visits.clear();
      this.#name.disconnected();
    }
    this.#dispatch({ kind: "status", status });
  }

  #receive(frames: ServerFrame[]): void {
    this.#dispatch({ kind: "frames", frames, now: this.#options.clock.now(), jitter: this.#options.random() });
    for (const frame of frames) this.#answer(frame);
    if (this.#state.room.hasGap && this.#joining === null) this.#join();
    if (this.#visits.size > 0) this.#sendOutbox();
  }

  /** What a frame asks for, apart from what it changes in the state. */
  #answer(frame: ServerFrame): void {
    switch (frame.action) {
      case "welcome":
        this.#name.welcomed(frame);
        this.#join();
        break;
      case "name_changed":
        if (frame.user === this.#state.me?.user) this.#name.changed(frame);
        break;
      case "room_joined":
        if (frame.room === this.#state.room.name) this.#joining = null;
        else this.#visits.add(frame.room);
        break;
      case "error":
        this.#failed(frame);
        break;
    }
  }

  #join(): void {
    this.#timers.cancel("join");
    const { name, position, truncated, problem } = this.#state.room;
    if (this.#state.status.kind !== "connected" || problem) return;
    this.#joining = this.#options.newId();
    const since = !truncated && position ? { since: position } : {};
    this.#connection.send({ action: "join_room", room: name, ...since, id: this.#joining });
  }

  #failed(error: ErrorFrame): void {
    if (error.id === undefined) return;
    if (error.id === this.#joining) return this.#joinFailed(error);
    const lostName = this.#name.failed(error.id, error);
    if (lostName !== null) this.#dispatch({ kind: "notice", notice: { kind: "name_lost", name: lostName } });
  }

  #joinFailed(error: ErrorFrame): void {
    this.#joining = null;
    if (!outboxes.isTemporary(error)) {
      this.#dispatch({ kind: "room_refused", problem: { code: error.code, message: error.message } });
      return;
    }
    this.#timers.set("join", outboxes.retryDelay(error, this.#options.random()), () => this.#join());
  }

  #enqueue(frame: outboxes.OutboxFrame): boolean {
    const outbox = outboxes.add(this.#state.outbox, frame, this.#options.clock.now());
    if (outbox) this.#dispatch({ kind: "outbox", outbox });
    this.#dispatch({ kind: "notice", notice: outbox ? null : { kind: "outbox_full" } });
    return outbox !== null;
  }

  #setMuted(muted: readonly Member[]): void {
    saveMuted(this.#options.storage.browser, muted);
    this.#dispatch({ kind: "muted", muted });
  }

  /** @param at milliseconds since 1970 */
  #setTimer(name: "outbox" | "typing", at: number, callback: () => void): void {
    this.#timers.set(name, Math.max(0, at - this.#options.clock.now()), callback);
  }
}
