/**
 * Connects the client of the chat with what only a page has: what is seen, muted, moderated, and said in its notices.
 */
import { isMessage } from "../chat/entries/kinds.ts";
import { type Entry, type Member, PAGE_SIZE_LIMIT, type ReceiveMessage } from "../chat/protocol.ts";
import { ChatClient, type ChatClientOptions } from "../client/chat_client.ts";
import type { KeyValueStorage } from "../client/storage.ts";
import { roomOf } from "../client/client_state.ts";
import { Timers } from "../client/clock.ts";
import { heldMessage } from "../client/room/room_state.ts";
import type { Route } from "./lib/address.ts";
import * as kept from "./lib/kept_rooms.ts";
import { type CallApi, createModerator, type ListedRoom, type Moderator } from "./lib/moderator.ts";
import { loadMuted, mute, MUTED_KEY, saveMuted, unmute } from "./lib/mutes.ts";
import { loadPlace, type ReadingPlace, savePlace } from "./lib/places.ts";
import { isMention, isNews } from "./lib/unread.ts";
import { PREFERENCES } from "./lib/web_storage.ts";
import { type Goal, initialState, isLineNew, isThere, type Notice, type State } from "./state.ts";
import { apply, type Event } from "./store.ts";

/** Milliseconds after which what was read is stored: a reader who scrolls would otherwise store it at every step. */
const STORE_AFTER = 1_000;
/** Milliseconds for which a message that came waits for what it answers, before its reader is told of it. */
const ANSWERED_WITHIN = 3_000;
/** Unread messages that are loaded on entry at most, so that their number can be told. */
const UNREAD_LOADED = PAGE_SIZE_LIMIT;

/** A message of somebody else that has just come, in a room that one is in. */
export interface Arrived {
  readonly message: ReceiveMessage;
  /** Whether it mentions the reader. */
  readonly mention: boolean;
}

/** A message to which one goes or comes back, and the answer that one has left for it. */
export interface AnswerPlace {
  readonly at: number;
  readonly left?: number;
}

export interface ControllerOptions
  extends Pick<ChatClientOptions, "connect" | "fetchHistory" | "initial" | "clock" | "random" | "newId"> {
  callApi: CallApi;
  /** Storage of this tab, and of this browser. */
  storage: { tab: KeyValueStorage; browser: KeyValueStorage };
  onChange: (state: State) => void;
  /** Messages that nobody saw come: the page is hidden, another room is read, or older messages. */
  onArrived?: (arrived: readonly Arrived[]) => void;
}

export class Controller {
  readonly chat: ChatClient;
  readonly moderator: Moderator;
  readonly #options: ControllerOptions;
  readonly #timers: Timers<"store" | "tell">;
  #state: State;
  /** Where the reader of the room is; null at the newest message. */
  #place: ReadingPlace | null = null;
  /** The goal whose messages were requested. */
  #pursued: Goal | null = null;
  #willStore = false;
  /** Messages that have come, and of which nobody is told before it is known what they answer. */
  #untold: ReceiveMessage[] = [];
  #follower: ((entries: readonly Entry[]) => void) | null = null;

  constructor(options: ControllerOptions) {
    const { storage, callApi } = options;
    this.#options = options;
    this.chat = new ChatClient({
      ...options,
      outboxStorage: storage.tab,
      nameStorage: storage.browser,
      onChange: (client, arrived) => {
        const { limits } = this.#state;
        this.#dispatch({ kind: "client", client, arrived });
        // A socket takes more rooms than an event stream.
        if (limits !== client.limits) this.#joinKept();
        this.#tellArrived(arrived);
        if (arrived.length > 0) this.#follower?.(arrived);
      },
      onNameLost: (name) => this.notify({ kind: "name_lost", name }),
      onReactionRefused: (error) => this.notify({ kind: "reaction_refused", error }),
    });
    this.#timers = new Timers(options.clock);
    const rooms = kept.loadKeptRooms(storage.browser);
    const muted = loadMuted(storage.browser);
    this.#state = { ...initialState(this.chat.state), muted, rooms, newestRoomFirst: isNewestFirst(storage.browser) };
    this.moderator = createModerator({
      call: callApi,
      storage: storage.tab,
      changed: (moderation) => this.#dispatch({ kind: "moderation", moderation }),
    });
  }

  get state(): State {
    return this.#state;
  }

  start(): void {
    this.chat.start();
    this.moderator.start();
  }

  stop(): void {
    this.#store();
    this.chat.stop();
  }

  /** The network is back or gone, or someone looks at the page again. */
  wake(online: boolean): void {
    this.#dispatch({ kind: "online", online });
    this.chat.wake();
  }

  /**
   * Goes to another room, to where the reader was there, or to the message that the address names. An address without a
   * room shows why it has none.
   * @param left where the browser's Back or Forward leads within the room that is read
   */
  enter(route: Route, left: AnswerPlace | null = null): void {
    const { storage, clock } = this.#options;
    if (route.room === null) {
      this.#leavePlace();
      this.#dispatch({ kind: "entered", meant: route.meant, goal: null });
      return this.chat.enter("", { code: route.problem, message: "" });
    }
    const { room, seq } = route;
    const link: Goal | null = seq === undefined ? null : { seq, at: "link" };
    if (room === this.#state.room.name && this.#state.room.position) {
      return left && seq === undefined ? this.goToAnswered(left) : this.#aim(link);
    }
    this.#leavePlace();
    const saved = loadPlace(storage.tab, room);
    this.#place = saved;
    this.#dispatch({ kind: "entered", meant: null, goal: link ?? (saved && { seq: saved.seq, at: saved.offset }) });
    this.#changeRooms((rooms) => kept.keep(rooms, room, clock.now()));
    this.chat.enter(room);
    this.#joinKept();
  }

  /** Leaves a room for good: it is no longer among those at the side. Not the room that is read. */
  leaveRoom(room: string): void {
    this.chat.leave(room);
    savePlace(this.#options.storage.tab, room, null);
    this.#changeRooms((rooms) => kept.forget(rooms, room));
  }

  muteRoom(room: string, muted: boolean): void {
    this.#changeRooms((rooms) => kept.setMuted(rooms, room, muted));
  }

  listed(listed: readonly ListedRoom[]): void {
    this.#dispatch({ kind: "listed", listed });
  }

  /** Goes to the first message of a day or later. `date`: milliseconds since 1970. */
  async goToDate(date: number): Promise<void> {
    const { name } = this.#state.room;
    try {
      const seq = await this.chat.findByDate(date);
      if (name !== this.#state.room.name) return;
      if (seq === null) this.notify({ kind: "no_message" });
      else this.#aim({ seq, at: "date" });
    } catch {
      this.notify({ kind: "no_place" });
    }
  }

  /** The reader goes to the first of the new messages. */
  goToNew(): void {
    const { newRun } = this.#state;
    if (newRun) this.#aim({ seq: newRun.after, at: "new" });
  }

  /** Goes to what an answer answers, or back. */
  goToAnswered({ at, left }: AnswerPlace): void {
    this.chat.stay();
    this.#dispatch({ kind: "answered", goal: { seq: at, at: "answer" }, left: left ?? null });
    this.#pursue();
  }

  /** Shows the answers to a message below it, or no more. */
  unfold(seq: number, open: boolean): void {
    if (!open) this.chat.forgetAnswers(seq);
    this.#dispatch({ kind: "unfolded", seq, open });
  }

  /** The page shows the goal, or what is nearest to it. */
  reached(exactly: boolean): void {
    const isLink = ["link", "answer"].includes(String(this.#state.goal?.at));
    this.#dispatch({ kind: "goal", goal: null });
    if (isLink && !exactly) this.notify({ kind: "no_message" });
  }

  /** Where the reader is; null at the newest message. */
  get place(): ReadingPlace | null {
    return this.#place;
  }

  /** Goes to where the reader was before. */
  returnTo({ seq, offset }: ReadingPlace): void {
    this.#aim({ seq, at: offset });
  }

  /** Has the entries told that arrive in the rooms one is in, to one listener at a time; null ends that. */
  follow(listener: ((entries: readonly Entry[]) => void) | null): void {
    this.#follower = listener;
  }

  newVisited(): void {
    this.#dispatch({ kind: "new_visited" });
  }

  /** Where the reader is, and the last message that they see. */
  reads(place: ReadingPlace | null, seen: number): void {
    this.#place = place;
    const { room, visible, following } = this.#state;
    if (!visible || !room.position) return;
    const seq = following ? room.position.seq : seen;
    const rooms = kept.markRead(this.#state.rooms, room.name, { epoch: room.position.epoch, seq });
    if (rooms === this.#state.rooms) return;
    this.#dispatch({ kind: "rooms", rooms });
    this.#storeSoon();
  }

  /**
   * @param answered the message that it answers
   * @returns false when the outbox is full: then the text stays where it was typed
   */
  write(text: string, answered?: number): boolean {
    return this.#noteOutbox(this.chat.write(text, answered));
  }

  edit(target: number, text: string): boolean {
    return this.#noteOutbox(this.chat.edit(target, text));
  }

  remove(target: number): boolean {
    return this.#noteOutbox(this.chat.remove(target));
  }

  /** Whether the page can be seen, and whether the reader is at the newest message. */
  reading(visible: boolean, following: boolean): void {
    if (!visible) this.#store();
    this.#dispatch({ kind: "reading", visible, following });
    this.chat.setAtNewest(following);
  }

  mute(member: Member): void {
    this.#setMuted(mute(this.#state.muted, member));
  }

  unmute(user: string): void {
    this.#setMuted(unmute(this.#state.muted, user));
  }

  /** Another tab has changed what is stored in this browser; `key` is null when it has deleted all of it. */
  storageChanged(key: string | null): void {
    const { browser } = this.#options.storage;
    if (key === PREFERENCES.roomOrder || key === null) {
      this.#dispatch({ kind: "room_order", newestFirst: isNewestFirst(browser) });
    }
    if (key === MUTED_KEY || key === null) this.#dispatch({ kind: "muted", muted: loadMuted(browser) });
    if (key !== kept.KEPT_ROOMS_KEY && key !== null) return;
    this.#dispatch({ kind: "rooms", rooms: this.#loadRooms() });
    this.#joinKept();
  }

  notify(notice: Notice | null): void {
    this.#dispatch({ kind: "notice", notice });
  }

  #dispatch(event: Event): void {
    const before = this.#state;
    this.#state = apply(before, event);
    if (this.#state === before) return;
    this.#options.onChange(this.#state);
    if (this.#state.goal && this.#state.room !== before.room) this.#pursue();
    if (this.#state.rooms !== before.rooms && event.kind === "client") this.#storeSoon();
    // Also after a join that could not resume, since what a thread had is out of date then.
    const { room, unfolded } = this.#state;
    for (const seq of unfolded) if (room.position && !room.threads.has(seq)) this.chat.loadAnswers(seq);
  }

  /** Goes to a place in the room. What lies there may have to be loaded first. */
  #aim(goal: Goal | null): void {
    // Where one wanted to be before, one would be taken as soon as that has come.
    this.chat.stay();
    this.#dispatch({ kind: "goal", goal });
    this.#pursue();
  }

  /** Loads the messages of the goal, if they are not there. Each goal is tried once. */
  async #pursue(): Promise<void> {
    const { goal, room } = this.#state;
    if (!goal || goal === this.#pursued || !room.position || isThere(this.#state, goal)) return;
    if (room.older === "loading" || room.newer === "loading") return;
    this.#pursued = goal;
    // From there the reader can go on to the newest messages without a hole.
    const isNear = isLineNew(goal) && room.newest === null && room.messages.length < UNREAD_LOADED;
    if (isNear) await this.chat.loadOlder(UNREAD_LOADED);
    if (this.#state.goal !== goal || isThere(this.#state, goal) || await this.chat.loadAround(goal.seq)) return;
    if (this.#state.goal !== goal) return;
    this.#dispatch({ kind: "goal", goal: null });
    this.notify({ kind: "no_place" });
  }

  #leavePlace(): void {
    this.#store();
    this.#place = null;
  }

  #storeSoon(): void {
    if (this.#willStore) return;
    this.#willStore = true;
    this.#timers.set("store", STORE_AFTER, () => this.#store());
  }

  /** Stores what was read, and where the reader is. */
  #store(): void {
    this.#timers.cancel("store");
    this.#willStore = false;
    const { room } = this.#state;
    if (room.name === "") return;
    savePlace(this.#options.storage.tab, room.name, this.#place);
    this.#changeRooms((rooms) => rooms);
  }

  /** Changes the rooms that are stored: another tab may have changed them too. */
  #changeRooms(change: (rooms: readonly kept.KeptRoom[]) => readonly kept.KeptRoom[]): void {
    const rooms = change(this.#loadRooms());
    kept.saveKeptRooms(this.#options.storage.browser, rooms);
    this.#dispatch({ kind: "rooms", rooms });
  }

  /** Is in the rooms that are kept, as far as a connection may, and in no others. */
  #joinKept(): void {
    const { rooms, others } = this.#state;
    for (const room of others.keys()) if (!kept.keptRoom(rooms, room)) this.chat.leave(room);
    for (const { room, read } of rooms) if (!this.chat.watch(room, read)) break;
  }

  #loadRooms(): readonly kept.KeptRoom[] {
    return kept.withMarksOf(this.#state.rooms, kept.loadKeptRooms(this.#options.storage.browser));
  }

  #tellArrived(arrived: readonly Entry[]): void {
    const { onArrived } = this.#options;
    if (!onArrived || arrived.length + this.#untold.length === 0) return;
    const { room, visible, following } = this.#state;
    const news = arrived.filter(isMessage).filter((message) =>
      isNews(message, this.#state) && !(message.room === room.name && visible && following)
    );
    this.#untold.push(...news);
    for (const message of news) {
      if (message.reply_to !== undefined) this.chat.loadQuoted(message.room, message.reply_to);
    }
    if (news.length > 0) this.#timers.set("tell", ANSWERED_WITHIN, () => this.#tell(() => true));
    this.#tell((message) => this.#isAnsweredKnown(message));
  }

  /** Tells of those that have come and that may be told. */
  #tell(mayTell: (message: ReceiveMessage) => boolean): void {
    const due = this.#untold.filter(mayTell);
    if (due.length === 0) return;
    this.#untold = this.#untold.filter((message) => !due.includes(message));
    const state = this.#state;
    const mention = (message: ReceiveMessage) => {
      const room = roomOf(state, message.room);
      return room !== undefined && isMention(message, state, room);
    };
    this.#options.onArrived?.(due.map((message) => ({ message, mention: mention(message) })));
  }

  /** Whether it is known whose message it answers, if it answers one. */
  #isAnsweredKnown({ room: name, reply_to }: ReceiveMessage): boolean {
    const room = reply_to === undefined ? undefined : roomOf(this.#state, name);
    return !room || heldMessage(room, reply_to!) !== undefined;
  }

  #noteOutbox(taken: boolean): boolean {
    this.notify(taken ? null : { kind: "outbox_full" });
    return taken;
  }

  #setMuted(muted: readonly Member[]): void {
    saveMuted(this.#options.storage.browser, muted);
    this.#dispatch({ kind: "muted", muted });
  }
}

function isNewestFirst(storage: KeyValueStorage): boolean {
  return storage.read(PREFERENCES.roomOrder) === "newest";
}
