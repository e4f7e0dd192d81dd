/**
 * Connects the client of the chat with what only a page has: what is seen, muted, moderated, and said in its notices.
 */
import type { Member } from "../chat/protocol.ts";
import { ChatClient, type ChatClientOptions } from "../client/chat_client.ts";
import type { KeyValueStorage } from "../client/storage.ts";
import type { Place } from "./lib/address.ts";
import { type CallApi, createModerator, type Moderator } from "./lib/moderator.ts";
import { loadMuted, mute, MUTED_KEY, saveMuted, unmute } from "./lib/mutes.ts";
import { initialState, type Notice, type State } from "./state.ts";
import { apply, type Event } from "./store.ts";

export interface ControllerOptions
  extends Pick<ChatClientOptions, "connect" | "fetchHistory" | "initial" | "clock" | "random" | "newId"> {
  callApi: CallApi;
  /** Storage of this tab, and of this browser. */
  storage: { tab: KeyValueStorage; browser: KeyValueStorage };
  onChange: (state: State) => void;
}

export class Controller {
  readonly chat: ChatClient;
  readonly moderator: Moderator;
  readonly #options: ControllerOptions;
  #state: State;

  constructor(options: ControllerOptions) {
    const { storage, callApi } = options;
    this.#options = options;
    this.chat = new ChatClient({
      ...options,
      outboxStorage: storage.tab,
      nameStorage: storage.browser,
      onChange: (client, arrived) => this.#dispatch({ kind: "client", client, arrived }),
      onNameLost: (name) => this.notify({ kind: "name_lost", name }),
    });
    this.#state = { ...initialState(this.chat.state), muted: loadMuted(storage.browser) };
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
    this.chat.stop();
  }

  /** The network is back or gone, or someone looks at the page again. */
  wake(online: boolean): void {
    this.#dispatch({ kind: "online", online });
    this.chat.wake();
  }

  /** Goes to another room. An address without a room shows why it has none. */
  enter(place: Place): void {
    this.#dispatch({ kind: "entered", meant: place.room === null ? place.meant : null });
    if (place.room === null) this.chat.enter("", { code: place.problem, message: "" });
    else this.chat.enter(place.room);
  }

  /** @returns false when the outbox is full: then the text stays where it was typed */
  write(text: string): boolean {
    return this.#noteOutbox(this.chat.write(text));
  }

  edit(target: number, text: string): boolean {
    return this.#noteOutbox(this.chat.edit(target, text));
  }

  remove(target: number): boolean {
    return this.#noteOutbox(this.chat.remove(target));
  }

  /** Whether the page can be seen, and whether the reader is at the newest message. */
  reading(visible: boolean, following: boolean): void {
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
    if (key !== MUTED_KEY && key !== null) return;
    this.#dispatch({ kind: "muted", muted: loadMuted(this.#options.storage.browser) });
  }

  notify(notice: Notice | null): void {
    this.#dispatch({ kind: "notice", notice });
  }

  #dispatch(event: Event): void {
    const before = this.#state;
    this.#state = apply(before, event);
    if (this.#state !== before) this.#options.onChange(this.#state);
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
