/**
 * A client of the chat without a page: one connection, the rooms that one is in, of which one is read, the outbox and
 * one's own name.
 */
import {
  type ClientFrame,
  type Entry,
  type ErrorFrame,
  type InitialData,
  MEMBERS_LISTED,
  PAGE_SIZE,
  type Position,
  type ServerFrame,
  TYPING_SECONDS,
} from "../chat/protocol.ts";
import {
  allRooms,
  applyFrame,
  applyHistory,
  applyStatus,
  type ClientState,
  entered,
  initialClientState,
  roomOf,
  without,
  withRoom,
} from "./client_state.ts";
import { type Clock, Timers } from "./clock.ts";
import type { Connection, ConnectionStatus } from "./connection.ts";
import * as outboxes from "./outbox.ts";
import { OutboxSender } from "./outbox_sender.ts";
import { ReactionSender, type ReactionSenderOptions } from "./reaction_sender.ts";
import { has, want } from "./reactions.ts";
import { HistoryLoader, type HistoryLoaderOptions } from "./history_loader.ts";
import { OwnName, type RenameAnswer } from "./own_name.ts";
import { RoomJoins } from "./room_joins.ts";
import { expireTyping } from "./room/people.ts";
import { messageOf } from "./room/answers.ts";
import { arrivals, missesChanges, readingAt } from "./room/room_log.ts";
import { emptyRoom, type RoomState } from "./room/room_state.ts";
import type { KeyValueStorage } from "./storage.ts";

/** Rooms of a connection that are kept free, for those to which only something in the outbox goes. */
const ROOMS_FOR_VISITS = 2;
/**
 * Other rooms that are joined without being read. Whoever loads the page again joins them again, and a person may join
 * only so many rooms a minute.
 */
const WATCHED_LIMIT = 30;
export interface ChatClientOptions {
  connect(
    handlers: { onFrames: (frames: ServerFrame[]) => void; onStatus: (status: ConnectionStatus) => void },
  ): Connection;
  fetchHistory: HistoryLoaderOptions["fetchHistory"];
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
  /** The state has changed; `arrived` are the new entries of the rooms, in each room's order. */
  onChange: (state: ClientState, arrived: readonly Entry[]) => void;
  /** The name chosen earlier can't be had again. */
  onNameLost: (name: string) => void;
  onReactionRefused: ReactionSenderOptions["onReactionRefused"];
}

export class ChatClient {
  readonly #options: ChatClientOptions;
  readonly #connection: Connection;
  readonly #name: OwnName;
  readonly #sender: OutboxSender;
  readonly #reactions: ReactionSender;
  readonly #joins: RoomJoins;
  readonly #history: HistoryLoader;
  readonly #timers: Timers<"typing">;
  /** Rooms that were joined at least once. */
  readonly #known = new Set<string>();
  #state: ClientState;
  /** What came with the page, until a room is entered. */
  #initial: InitialData["history"];
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
    const state = () => this.#state;
    const changed = (room: RoomState) => this.#changeRoom(room);
    this.#joins = new RoomJoins({ ...options, state, send, changed });
    this.#history = new HistoryLoader({ ...options, state, changed });
    this.#name = new OwnName({ storage: nameStorage, newId, send });
    this.#sender = new OutboxSender({
      clock,
      state,
      send,
      changed: (outbox) => this.#change({ ...this.#state, outbox }),
    });
    this.#reactions = new ReactionSender({
      ...options,
      state,
      send,
      changed: (reactions) => this.#change({ ...this.#state, reactions }),
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
   * Goes to a room, to read it. One stays in the room before, unless there are too many.
   * @param problem why the room can't be joined, if that is already known
   */
  enter(room: string, problem?: outboxes.ActionError): void {
    this.#typingSentAt = -Infinity;
    const initial = this.#initial?.room === room ? this.#initial : undefined;
    this.#initial = undefined;
    const known = problem ? undefined : roomOf(this.#state, room);
    const state = entered(this.#state, known ?? emptyRoom(room, problem));
    this.#change(initial && !known?.joined ? applyHistory(state, initial) : state);
    this.#makePlace();
    if (!known?.joined) this.#joins.join(room);
    this.#joins.joinNext();
  }

  /**
   * Joins another room than the one that is read, once that one is joined, and stays in it.
   * @param since where one was in it the last time; what came after it is requested
   * @returns false if one is in as many rooms as a client watches, or a connection may be in
   */
  watch(room: string, since: Position | null): boolean {
    if (roomOf(this.#state, room)) return true;
    const limit = Math.min(WATCHED_LIMIT + 1, this.#roomLimit());
    if (allRooms(this.#state).length >= limit) return false;
    // Behind those that were read here: it was read before that.
    const others = new Map([[room, emptyRoom(room, null, since)], ...this.#state.others]);
    this.#change({ ...this.#state, others });
    this.#joins.joinNext();
    return true;
  }

  /** Leaves a room that is not the one that is read. */
  leave(room: string): void {
    if (!this.#state.others.has(room)) return;
    this.#connection.send({ action: "leave_room", room });
    this.#joins.left(room);
    this.#history.forget(room);
    this.#known.delete(room);
    this.#change(without(this.#state, room));
    this.#joins.joinNext();
  }

  /**
   * @param answered the message that it answers
   * @returns false when the outbox is full, so that the text should stay where it was typed
   */
  write(text: string, answered?: number): boolean {
    const room = this.#state.room.name;
    const reply = answered === undefined ? {} : { reply_to: answered };
    return this.#enqueue({ action: "send_message", room, text, ...reply, id: this.#options.newId() });
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

  /**
   * Gives a message of a room a reaction, or takes one's own back. It is shown at once, and undone if the server refuses
   * it. Without a connection it is sent once there is one, unless the page has been loaded again by then.
   */
  react(room: string, target: number, emoji: string, on: boolean): void {
    const message = messageOf(roomOf(this.#state, room) ?? emptyRoom(room), target);
    if (!message || message.deleted || !this.#state.me) return;
    const reactions = want(this.#state.reactions, { room, target, emoji }, on, has(message, emoji) === on);
    if (reactions && reactions !== this.#state.reactions) this.#change({ ...this.#state, reactions });
  }

  /** Sends a refused action again. */
  retry(id: string): void {
    this.#change({ ...this.#state, outbox: outboxes.retry(this.#state.outbox, id) });
  }

  /** Sends a refused answer again, as a message that answers none. */
  sendPlain(id: string): void {
    this.#change({ ...this.#state, outbox: outboxes.retryPlain(this.#state.outbox, id) });
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

  /** Loads the page before the oldest message of the room that is read, unless one is loading. */
  loadOlder(limit = PAGE_SIZE): Promise<void> {
    return this.#history.older(limit);
  }

  /** Loads the page after the last message of a reader who is among older ones, unless one is loading. */
  loadNewer(): Promise<void> {
    return this.#history.newer();
  }

  /** Brings in the messages around a place. @returns whether some are there */
  loadAround(seq: number): Promise<boolean> {
    return this.#history.around(seq);
  }

  /** The reader goes nowhere else: what `loadAround` still brings is ignored. */
  stay(): void {
    this.#history.stay();
  }

  /** Loads a message of a room that others answer, unless it is known or asked for. */
  loadQuoted(room: string, seq: number): void {
    this.#history.quote(room, seq);
  }

  /** Loads the answers to a message of the room that is read, or more of them. Live ones are added from then on. */
  loadAnswers(seq: number): Promise<void> {
    return this.#history.answers(this.#state.room.name, seq);
  }

  /** Nobody looks at them any more. */
  forgetAnswers(seq: number): void {
    this.#history.forgetAnswers(this.#state.room.name, seq);
  }

  /**
   * The first message of a time or later, in milliseconds since 1970.
   * @returns its `seq`; null if there is none. Rejects when messages can't be loaded now.
   */
  findByDate(date: number): Promise<number | null> {
    return this.#history.findByDate(date);
  }

  /** Whether the reader is at the newest message. Up in the history no message is released, however many come. */
  setAtNewest(atNewest: boolean): void {
    this.#changeRoom(readingAt(this.#state.room, atNewest));
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
    this.#reactions.send();
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
      this.#joins.disconnected();
      this.#sender.disconnected();
      this.#name.disconnected();
    }
    this.#change(applyStatus(this.#state, status));
  }

  #receive(received: ServerFrame[]): void {
    const frames = received.filter((frame) => frame.action !== "room_joined" || !this.#joins.isLate(frame));
    const context = { now: this.#options.clock.now(), jitter: this.#options.random() };
    const arrived: Entry[] = [];
    const stale = new Set<string>();
    let state = this.#state;
    for (const frame of frames) {
      const next = applyFrame(state, frame, context);
      arrived.push(...this.#arrivals(state, next, frame));
      if (frame.action === "room_joined") {
        const [before, after] = [roomOf(state, frame.room), roomOf(next, frame.room)];
        if (before && after && missesChanges(before, after, frame)) stale.add(frame.room);
      }
      state = next;
    }
    this.#change(state, arrived);
    for (const frame of frames) this.#answer(frame);
    for (const room of allRooms(this.#state)) if (room.hasGap) this.#joins.join(room.name);
    for (const room of stale) this.#history.refresh(room);
  }

  /** What a room that one has just come to brings from the time before is no arrival. */
  #arrivals(before: ClientState, after: ClientState, frame: ServerFrame): Entry[] {
    if (!("room" in frame) || frame.room === undefined) return [];
    const [room, next] = [roomOf(before, frame.room), roomOf(after, frame.room)];
    if (!room || !next || room !== before.room && !this.#known.has(room.name)) return [];
    return arrivals(room, next, frame);
  }

  /** What a frame asks for, apart from what it changes in the state. */
  #answer(frame: ServerFrame): void {
    switch (frame.action) {
      case "welcome":
        this.#name.welcomed(frame);
        this.#makePlace();
        this.#joins.join(this.#state.room.name);
        // Where the room that is read can't be joined, the others can.
        if (this.#state.room.problem) this.#joins.joinNext();
        break;
      case "name_changed":
        if (frame.user === this.#state.me?.user) this.#name.changed(frame);
        break;
      case "room_joined":
        if (!roomOf(this.#state, frame.room)) return this.#sender.visiting(frame.room);
        this.#known.add(frame.room);
        this.#joins.joined(frame.room);
        break;
      case "room_left":
        // One has left it and come back before the server said so.
        this.#joins.join(frame.room);
        break;
      case "error":
        this.#failed(frame);
        break;
    }
  }

  /** Leaves the rooms that were read the longest ago if one is in too many. */
  #makePlace(): void {
    for (const { name } of allRooms(this.#state).slice(this.#roomLimit())) this.leave(name);
  }

  #roomLimit(): number {
    return Math.max(1, this.#state.limits.rooms - ROOMS_FOR_VISITS);
  }

  #failed(error: ErrorFrame): void {
    if (error.id === undefined || this.#joins.failed(error)) return;
    this.#reactions.failed(error);
    const lostName = this.#name.failed(error.id, error);
    if (lostName !== null) this.#options.onNameLost(lostName);
  }

  #enqueue(frame: outboxes.OutboxFrame): boolean {
    const outbox = outboxes.add(this.#state.outbox, frame, this.#options.clock.now());
    if (outbox) this.#change({ ...this.#state, outbox });
    return outbox !== null;
  }
}
