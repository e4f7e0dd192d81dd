/** The page's side of the conversation: what it says to the server, when, and what it makes of the answers. */
import {
  type ErrorFrame,
  type Member,
  MEMBERS_LISTED,
  type NameChanged,
  type ReceiveMessage,
  type ServerFrame,
  TYPING_SECONDS,
  type Welcome,
} from "../chat/protocol.ts";
import type { Clock } from "../client/clock.ts";
import type { Place } from "./lib/address.ts";
import type { Connection, ConnectionStatus } from "../client/connection.ts";
import type { KeyValueStorage } from "../client/storage.ts";
import { type CallApi, createModerator } from "./lib/moderator.ts";
import { loadMuted, mute, MUTED_KEY, saveMuted, unmute } from "./lib/mutes.ts";
import * as outboxes from "../client/outbox.ts";
import { type Event, initialState, type Notice, type State } from "./state.ts";
import { apply } from "./store.ts";

const NAME_KEY = "parley.name";
/** Names that the server gives. Nobody can choose one, so there is no use in asking for it again. */
const GIVEN_NAME = /^User \d+$/;

/** A page of `GET /api/rooms/ROOM/messages`. */
export interface HistoryPage {
  epoch: string;
  /** The head of the log when it was read. */
  seq: number;
  messages: ReceiveMessage[];
  more: boolean;
}

export type RenameAnswer = { kind: "done" } | { kind: "offline" } | { kind: "refused"; error: ErrorFrame };

export interface SessionOptions {
  connect(
    handlers: { onFrames: (frames: ServerFrame[]) => void; onStatus: (status: ConnectionStatus) => void },
  ): Connection;
  /** The newest messages before `before`; rejects when they cannot be had now. */
  fetchHistory(room: string, before: number): Promise<HistoryPage>;
  callApi: CallApi;
  /** Of this tab, and of this browser. */
  storage: { tab: KeyValueStorage; browser: KeyValueStorage };
  clock: Clock;
  random: () => number;
  newId: () => string;
  onChange: (state: State) => void;
}

export type Session = ReturnType<typeof createSession>;

export function createSession(options: SessionOptions) {
  const { storage, clock, random, newId, onChange } = options;
  let state = apply(initialState("", outboxes.load(storage.tab)), { kind: "muted", muted: loadMuted(storage.browser) });
  /** Ids of what was asked and not answered. */
  let joining: string | null = null;
  let restoring: string | null = null;
  const renaming = new Map<string, (answer: RenameAnswer) => void>();
  /** Rooms that we are in only because words for them were still waiting. */
  const visits = new Set<string>();
  let typingSaid = -Infinity;
  const alarms = new Map<"outbox" | "typing" | "join", () => void>();
  const connection = options.connect({ onFrames, onStatus });
  const moderator = createModerator({
    call: options.callApi,
    storage: storage.tab,
    changed: (moderation) => dispatch({ kind: "moderation", moderation }),
  });

  function alarm(name: "outbox" | "typing" | "join", at: number, callback: () => void) {
    alarms.get(name)?.();
    alarms.set(name, clock.after(Math.max(0, at - clock.now()), callback));
  }

  function dispatch(event: Event) {
    const before = state;
    state = apply(state, event);
    if (state === before) return;
    if (state.outbox.items !== before.outbox.items) outboxes.save(storage.tab, state.outbox);
    if (state.room.typing !== before.room.typing) {
      const first = Math.min(...state.room.typing.map((typist) => typist.until));
      if (first < Infinity) alarm("typing", first, () => dispatch({ kind: "time", now: clock.now() }));
    }
    onChange(state);
    if (state.outbox !== before.outbox || state.room.joined !== before.room.joined) pump();
  }

  /** Sends what may be sent now, and sees to being called again when more may be. */
  function pump() {
    if (state.status.kind !== "connected" || !(state.room.joined || state.room.problem)) return;
    const due = outboxes.next(state.outbox, clock.now());
    if (due) {
      connection.send(due.frame);
      dispatch({ kind: "outbox", outbox: due.outbox });
    }
    const wake = outboxes.wakeAt(state.outbox);
    if (wake !== null) alarm("outbox", wake, pump);
    for (const room of visits) {
      if (state.outbox.items.some((item) => item.frame.room === room && item.error === null)) continue;
      visits.delete(room);
      if (room !== state.room.name) connection.send({ action: "leave_room", room });
    }
  }

  function onStatus(status: ConnectionStatus) {
    if (status.kind !== "connected") {
      joining = restoring = null;
      visits.clear();
      for (const id of [...renaming.keys()]) answer(id, { kind: "offline" });
    }
    dispatch({ kind: "status", status });
  }

  function onFrames(frames: ServerFrame[]) {
    dispatch({ kind: "frames", frames, now: clock.now(), jitter: random() });
    for (const frame of frames) {
      if (frame.action === "welcome") welcomed(frame);
      else if (frame.action === "name_changed") named(frame);
      else if (frame.action === "error") refused(frame);
      else if (frame.action === "room_joined") {
        if (frame.room === state.room.name) joining = null;
        else visits.add(frame.room);
      }
    }
    if (state.room.hasGap && joining === null) join();
    if (visits.size > 0) pump();
  }

  function join() {
    alarms.get("join")?.();
    const { name, position, truncated, problem } = state.room;
    if (state.status.kind !== "connected" || problem) return;
    joining = newId();
    const since = !truncated && position ? { since: position } : {};
    connection.send({ action: "join_room", room: name, ...since, id: joining });
  }

  /** A store that forgot us gives a new name: ask for the old one before anybody sees the new one. */
  function welcomed(frame: Welcome) {
    const name = storage.browser.read(NAME_KEY);
    if (name && name !== frame.name) {
      restoring = newId();
      connection.send({ action: "set_name", name, id: restoring });
    }
    join();
  }

  function named(frame: NameChanged) {
    if (frame.user !== state.me?.user) return;
    storage.browser.write(NAME_KEY, GIVEN_NAME.test(frame.name) ? null : frame.name);
    if (frame.id !== undefined) answer(frame.id, { kind: "done" });
  }

  function answer(id: string, value: RenameAnswer) {
    renaming.get(id)?.(value);
    renaming.delete(id);
  }

  function refused(error: ErrorFrame) {
    if (error.id === undefined) return;
    const passing = error.code === "rate_limited" || error.code === "unavailable";
    if (error.id === joining) {
      joining = null;
      if (!passing) return dispatch({ kind: "room_refused", problem: { code: error.code, message: error.message } });
      const delay = error.retry_after === undefined ? outboxes.RETRY_DELAY : error.retry_after * 1_000;
      alarm("join", clock.now() + delay + random() * outboxes.RETRY_JITTER, join);
    } else if (error.id === restoring) {
      restoring = null;
      const name = storage.browser.read(NAME_KEY);
      if (passing || name === null) return;
      storage.browser.write(NAME_KEY, null);
      dispatch({ kind: "notice", notice: { kind: "name_lost", name } });
    } else {
      answer(error.id, { kind: "refused", error });
    }
  }

  function put(frame: outboxes.OutboxFrame): boolean {
    const outbox = outboxes.add(state.outbox, frame, clock.now());
    if (outbox) dispatch({ kind: "outbox", outbox });
    dispatch({ kind: "notice", notice: outbox ? null : { kind: "outbox_full" } });
    return outbox !== null;
  }

  function setMuted(muted: readonly Member[]) {
    saveMuted(storage.browser, muted);
    dispatch({ kind: "muted", muted });
  }

  return {
    state: () => state,
    start() {
      connection.start();
      moderator.start();
    },
    stop: () => connection.stop(),
    retryNow: () => connection.retry(),

    /** The browser is online again or not, or someone looks at the page again. */
    wake(online: boolean) {
      dispatch({ kind: "online", online });
      connection.wake();
    },

    /** Goes to another room. Where the address shows none, the page says so. */
    enter(place: Place) {
      const { room } = place;
      const left = state.room;
      if (left.joined && left.name !== room) connection.send({ action: "leave_room", room: left.name });
      const problem = place.room === null ? { code: place.problem, message: "", meant: place.meant } : undefined;
      dispatch({ kind: "entered", room: room ?? "", problem });
      typingSaid = -Infinity;
      join();
    },

    /** False when the outbox is full: then the text stays where it was typed. */
    write: (text: string) => put({ action: "send_message", room: state.room.name, text, id: newId() }),
    edit: (target: number, text: string) =>
      put({ action: "edit_message", room: state.room.name, target, text, id: newId() }),
    remove: (target: number) => put({ action: "delete_message", room: state.room.name, target, id: newId() }),
    retry: (id: string) => dispatch({ kind: "outbox", outbox: outboxes.retry(state.outbox, id) }),
    discard: (id: string) => dispatch({ kind: "outbox", outbox: outboxes.remove(state.outbox, id) }),

    /** The composer has words in it. Told at most as often as the server passes it on, and not to a crowd. */
    typing() {
      if (!state.room.joined || state.room.count > MEMBERS_LISTED) return;
      if (clock.now() - typingSaid < TYPING_SECONDS * 1_000) return;
      typingSaid = clock.now();
      connection.send({ action: "typing", room: state.room.name });
    },

    rename(name: string): Promise<RenameAnswer> {
      if (state.status.kind !== "connected") return Promise.resolve({ kind: "offline" });
      const id = newId();
      const answer = new Promise<RenameAnswer>((resolve) => renaming.set(id, resolve));
      connection.send({ action: "set_name", name, id });
      return answer;
    },

    /** Fetches the page before the oldest message shown, unless one is on its way. */
    async loadOlder() {
      const { name, messages, position, more, history } = state.room;
      if (!more || history === "loading" || !position) return;
      const before = messages[0]?.seq ?? position.seq + 1;
      dispatch({ kind: "history_requested" });
      const page = await options.fetchHistory(name, before).catch(() => null);
      const { room } = state;
      // The reader went elsewhere, or the list was replaced, in the meantime.
      const current = room.messages[0]?.seq ?? (room.position?.seq ?? 0) + 1;
      if (room.name !== name || room.history !== "loading" || current !== before) return;
      if (page?.epoch !== room.position?.epoch) dispatch({ kind: "history_failed" });
      else if (page) dispatch({ kind: "history_loaded", messages: page.messages, seq: page.seq, more: page.more });
    },

    /** Whether the page can be seen, and the newest message in it. */
    reading(visible: boolean, following: boolean) {
      dispatch({ kind: "reading", visible, following });
      if (following && state.room.truncated && joining === null) join();
    },

    mute: (member: Member) => setMuted(mute(state.muted, member)),
    unmute: (user: string) => setMuted(unmute(state.muted, user)),
    /** Another tab has written down something else under this key. */
    remembered(key: string | null) {
      if (key === MUTED_KEY || key === null) dispatch({ kind: "muted", muted: loadMuted(storage.browser) });
    },

    moderator,

    notice: (notice: Notice | null) => dispatch({ kind: "notice", notice }),
  };
}
