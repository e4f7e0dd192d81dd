/** A client of the chat without a page: one connection, one room to read, the outbox and one's own name. */
import {
  type ClientFrame,
  type Entry,
  type ErrorFrame,
  type HistoryPage,
  type InitialData,
  MEMBERS_LISTED,
  type ServerFrame,
  TYPING_SECONDS,
} from "../chat/protocol.ts";
import {
  applyFrame,
  applyHistory,
  applyStatus,
  type ClientState,
  initialClientState,
  withRoom,
} from "./client_state.ts";
import type { Clock } from "./clock.ts";
import type { Connection, ConnectionStatus } from "./connection.ts";
import * as outboxes from "./outbox.ts";
import { OutboxSender } from "./outbox_sender.ts";
import { OwnName, type RenameAnswer } from "./own_name.ts";
import { expireTyping } from "./room/people.ts";
import { arrivals, historyEnd, historyFailed, historyLoaded, historyRequested, trim } from "./room/room_log.ts";
import { emptyRoom, type RoomState } from "./room/room_state.ts";
import type { KeyValueStorage } from "./storage.ts";
import { Timers } from "./timers.ts";

export interface ChatClientOptions {
  connect(
    handlers: { onFrames: (frames: ServerFrame[]) => void; onStatus: (status: ConnectionStatus) => void },
  ): Connection;
  /** The newest messages before `before`; rejects when they can't be loaded now. */
  fetchHistory(room: string, before: number): Promise<HistoryPage>;
  /** Where unsent actions are stored. Two clients must not share it. */
  outboxStorage: KeyValueStorage;
  /** Where the chosen name is stored. All clients of one person may share it. */
  nameStorage: KeyValueStorage;
  /** What came with the page. Its messages are shown in the first room that is entered, if they are that one's. */
  initial?: InitialData | null;
  clock: Clock;
  /** From 0 up to, not including, 1. */
  random: () => number;
  newId: () => string;
  /** The state has changed; `arrived` are the new entries of the room, in order. */
  onChange: (state: ClientState, arrived: readonly Entry[]) => void;
  /** The name chosen earlier can't be had again. */
  onNameLost: (name: string) => void;
}

export class ChatClient {
  readonly #options: ChatClientOptions;
  readonly #connection: Connection;
  readonly #name: OwnName;
  readonly #sender: OutboxSender;
  readonly #timers: Timers<"typing" | "join">;
  #state: ClientState;
  /** Whether the reader is at the newest message. */
  #atNewest = true;
  /** What came with the page, until a room is entered. */
  #initial: InitialData["history"];
  /** The id of the request to join that is not answered yet. */
  #joining: string | null = null;
  #typingSentAt = -Infinity;

  constructor(options: ChatClientOptions) {
    const { nameStorage, outboxStorage, clock, newId } = options;
    this.#options = options;
    this.#timers = new Timers(clock);
    this.#state = initialClientState("", outboxes.load(outboxStorage), options.initial?.session);
    this.#initial = options.initial?.history;
    this.#connection = options.connect({
      onFrames: (frames) => this.#receive(frames),
      onStatus: (status) => this.#setStatus(status),
    });
    const send = (frame: ClientFrame) => this.#connection.send(frame);
    this.#name = new OwnName({ storage: nameStorage, newId, send });
    this.#sender = new OutboxSender({
      clock,
      state: () => this.#state,
      send,
      changed: (outbox) => this.#change({ ...this.#state, outbox }),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  start(): void {
    this.#connection.start();
  }

  stop(): void {
    this.#connection.stop();
  }

  /** A person asks for it: connects at once, also after it stopped. */
  retryNow(): void {
    this.#connection.retry();
  }

  /** The network is back, or someone looks at the chat: connects at once, or checks that the connection still works. */
  wake(): void {
    this.#connection.wake();
  }

  /**
   * Leaves the present room and joins another one.
   * @param problem why the room can't be joined, if that is already known
   */
  enter(room: string, problem?: outboxes.ActionError): void {
    const left = this.#state.room;
    if (left.joined && left.name !== room) this.#connection.send({ action: "leave_room", room: left.name });
    this.#atNewest = true;
    this.#typingSentAt = -Infinity;
    const initial = this.#initial?.room === room ? this.#initial : undefined;
    this.#initial = undefined;
    const state = withRoom(this.#state, emptyRoom(room, problem));
    this.#change(initial ? applyHistory(state, initial) : state);
    this.#join();
  }

  /** @returns false when the outbox is full, so that the text should stay where it was typed */
  write(text: string): boolean {
    return this.#enqueue({ action: "send_message", room: this.#state.room.name, text, id: this.#options.newId() });
  }

  /** @returns false when the outbox is full */
  edit(target: number, text: string): boolean {
    const room = this.#state.room.name;
    return this.#enqueue({ action: "edit_message", room, target, text, id: this.#options.newId() });
  }

  /** @returns false when the outbox is full */
  remove(target: number): boolean {
    const room = this.#state.room.name;
    return this.#enqueue({ action: "delete_message", room, target, id: this.#options.newId() });
  }

  /** Sends a refused action again. */
  retry(id: string): void {
    this.#change({ ...this.#state, outbox: outboxes.retry(this.#state.outbox, id) });
  }

  discard(id: string): void {
    this.#change({ ...this.#state, outbox: outboxes.remove(this.#state.outbox, id) });
  }

  /** The person is typing. Sent at most as often as the server passes it on, and not to a crowd. */
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
    this.#changeRoom(historyRequested(this.#state.room));
    const page = await this.#options.fetchHistory(name, end).catch(() => null);
    const { room } = this.#state;
    // Meanwhile the reader may have gone to another room, or a join may have replaced the messages.
    if (room.name !== name || room.history !== "loading" || historyEnd(room) !== end) return;
    if (page?.epoch !== room.position?.epoch) this.#changeRoom(historyFailed(room));
    else if (page) this.#changeRoom(historyLoaded(room, page));
  }

  /** Whether the reader is at the newest message. Up in the history no message is released, however many come. */
  setAtNewest(atNewest: boolean): void {
    this.#atNewest = atNewest;
    if (!atNewest) return;
    this.#changeRoom(trim(this.#state.room));
    if (this.#state.room.truncated && this.#joining === null) this.#join();
  }

  #changeRoom(room: RoomState): void {
    this.#change(withRoom(this.#state, room));
  }

  #change(state: ClientState, arrived: readonly Entry[] = []): void {
    const before = this.#state;
    if (state === before) return;
    this.#state = state;
    if (state.outbox.items !== before.outbox.items) outboxes.save(this.#options.outboxStorage, state.outbox);
    if (state.room.typing !== before.room.typing) this.#expireTyping();
    this.#options.onChange(state, arrived);
    if (state.outbox !== before.outbox || state.room.joined !== before.room.joined) this.#sender.send();
  }

  #expireTyping(): void {
    const { clock } = this.#options;
    const first = Math.min(...this.#state.room.typing.map((typist) => typist.until));
    if (first === Infinity) return;
    const delay = Math.max(0, first - clock.now());
    this.#timers.set("typing", delay, () => this.#changeRoom(expireTyping(this.#state.room, clock.now())));
  }

  #setStatus(status: ConnectionStatus): void {
    if (status.kind !== "connected") {
      this.#joining = null;
      this.#sender.disconnected();
      this.#name.disconnected();
    }
    this.#change(applyStatus(this.#state, status));
  }

  #receive(frames: ServerFrame[]): void {
    const context = { now: this.#options.clock.now(), jitter: this.#options.random(), atNewest: this.#atNewest };
    const arrived: Entry[] = [];
    let state = this.#state;
    for (const frame of frames) {
      const next = applyFrame(state, frame, context);
      arrived.push(...arrivals(state.room, next.room, frame));
      state = next;
    }
    this.#change(state, arrived);
    for (const frame of frames) this.#answer(frame);
    if (this.#state.room.hasGap && this.#joining === null) this.#join();
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
        else this.#sender.visiting(frame.room);
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
    if (lostName !== null) this.#options.onNameLost(lostName);
  }

  #joinFailed(error: ErrorFrame): void {
    this.#joining = null;
    if (outboxes.isTemporary(error)) {
      this.#timers.set("join", outboxes.retryDelay(error, this.#options.random()), () => this.#join());
    } else {
      this.#changeRoom({ ...this.#state.room, problem: { code: error.code, message: error.message } });
    }
  }

  #enqueue(frame: outboxes.OutboxFrame): boolean {
    const outbox = outboxes.add(this.#state.outbox, frame, this.#options.clock.now());
    if (outbox) this.#change({ ...this.#state, outbox });
    return outbox !== null;
  }
}
