/** The whole page: its views, how they are connected, and what belongs to none of them. */
import { DEFAULT_ROOM } from "../../chat/protocol.ts";
import type { KeyValueStorage } from "../../client/storage.ts";
import { type Bell, unseen } from "../away/bell.ts";
import type { DialogOptions } from "../dialogs/dialogs.ts";
import { lazyDialogs } from "../dialogs/lazy_dialogs.ts";
import { errorText, failureText, renameText } from "../i18n/locale.ts";
import { element, find, painted, setProperties, setText, showDone } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import type { ListPeople } from "../lib/people_pages.ts";
import type { ListedRoom } from "../lib/moderator.ts";
import { displayName } from "../lib/room_name.ts";
import { loadRichText } from "../lib/text/message_text.ts";
import { PREFERENCES } from "../lib/web_storage.ts";
import type { ReactionTools } from "../reactions/reaction_tools.ts";
import type { ListReacted } from "../reactions/who.ts";
import { lastOwn, type State } from "../state.ts";
import type { PageWorker } from "../worker/registration.ts";
import { type ComposerActions, createComposerView } from "./composer_view.ts";
import { leadToComposer } from "./focus.ts";
import { createLogView } from "./log_view.ts";
import type { SideViews } from "./side_views.ts";
import { createStatusView } from "./status_view.ts";
import { hasScreenKeyboard } from "./text_entry.ts";

/** Milliseconds after which the rest of the page is loaded, unless it is needed sooner: the first screen comes first. */
const REST_AFTER = 1_000;

/** `goTo` goes to a room, and changes the address. */
export interface ViewOptions extends Omit<DialogOptions, "field" | "loadListed" | "answers"> {
  bell: Bell;
  /** The rooms that are listed for everyone; null when they can't be loaded now. */
  listRooms: () => Promise<readonly ListedRoom[] | null>;
  drafts: KeyValueStorage;
  /** The file with all emoji, and where it is stored which ones were used. */
  emoji: { loadEmoji: () => Promise<string>; storage: KeyValueStorage };
  /** Goes to an address of the chat, as a link does. */
  navigate: (path: string) => void;
  listPeople: ListPeople;
  listReacted: ListReacted;
  /** Goes to a message, and makes the browser's Back lead to the one from which one goes. */
  goToAnswered: (seq: number, from: number) => void;
  /** Loads what of the client the first screen can do without. */
  loadRest: () => void;
  /** Asks the server for something that is only read. */
  read: (path: string) => Promise<{ status: number; body: unknown }>;
}

/** Builds the page, and returns the function that shows a state in it. */
export function createViews(
  {
    controller,
    locale,
    preferences,
    bell,
    drafts,
    emoji,
    listRooms,
    listPeople,
    listReacted,
    read,
    loadRest,
    pathOf,
    navigate,
    goTo,
    goToAnswered,
  }: ViewOptions,
): (state: State) => void {
  const { strings } = locale;
  const product = find("product", HTMLElement);
  const room = find("room", HTMLButtonElement);
  const heading = room.closest("h1")!;
  const share = find("share", HTMLButtonElement);
  const announcer = find("announcer", HTMLElement);
  const roomName = element("bdi");
  /** Failed actions that screen readers have announced already. */
  const announced = new Set<string>();

  const dialogs = lazyDialogs(async () => {
    const { createDialogs } = await import("../dialogs/dialogs.ts");
    const { field } = composer;
    const answers = { answer: composer.answer, goTo: goFrom };
    return createDialogs({ controller, locale, preferences, loadListed, pathOf, goTo: moveTo, field, answers });
  }, () => controller.notify({ kind: "not_loaded" }));
  let loadingReactions: Promise<ReactionTools | null> | null = null;
  /** Null if they can't be loaded: most browsers remember that until the page is loaded again. */
  const loadReactions = () =>
    loadingReactions ??= import("../reactions/reaction_tools.ts").then(({ createReactionTools }) =>
      createReactionTools({ controller, locale, listReacted, ...emoji })
    ).catch(() => null);
  async function reactionTools(): Promise<ReactionTools | null> {
    const tools = await loadReactions();
    if (!tools) controller.notify({ kind: "not_loaded" });
    return tools;
  }
  const log = createLogView(locale, {
    react: (seq, emoji, on) => controller.chat.react(controller.state.room.name, seq, emoji, on),
    offerReactions: async (row, close) => (await reactionTools())?.offer(row, close) ?? null,
    hintAt: (chip, seq, reaction) => void loadReactions().then((tools) => tools?.hintAt(chip, seq, reaction)),
    listReacted: (seq, emoji) => void reactionTools().then((tools) => tools?.list(seq, emoji)),
    edit: (seq, text) => controller.edit(seq, text),
    remove: (seq) => controller.remove(seq),
    retry: (id) => controller.chat.retry(id),
    discard: (id) => controller.chat.discard(id),
    sendPlain: (id) => controller.chat.sendPlain(id),
    answer: (seq) => composer.answer(seq),
    goToAnswered: goFrom,
    backToAnswer: () => history.back(),
    unfold: (seq, open) => controller.unfold(seq, open),
    loadAnswers: (seq) => controller.chat.loadAnswers(seq),
    openThread: dialogs.openThread,
    loadQuoted: (seq) => controller.chat.loadQuoted(controller.state.room.name, seq),
    unmute: (user) => controller.unmute(user),
    jumpToDate: dialogs.jumpToDate,
    linkOf: (seq) => pathOf(controller.state.room.name, seq),
    copyLink,
    openPerson: dialogs.openPerson,
    async moderate(seq) {
      const failure = await controller.moderator.deleteMessage(controller.state.room.name, seq);
      return failure && failureText(strings, failure);
    },
    state: () => controller.state,
    loadOlder: () => controller.chat.loadOlder(),
    loadNewer: () => controller.chat.loadNewer(),
    reads: (place, seen) => controller.reads(place, seen),
    goToNew: () => controller.goToNew(),
    newVisited: () => controller.newVisited(),
    reached: (exactly) => controller.reached(exactly),
    textLimit: () => controller.state.limits.text,
    leave: () => composer.focus(),
    share: () => dialogs.share(),
    following: (following) => controller.reading(!document.hidden, following),
  });
  const composerActions: ComposerActions = {
    write(text, answered) {
      log.toLatest();
      return controller.write(text, answered);
    },
    loadQuoted: (seq) => controller.chat.loadQuoted(controller.state.room.name, seq),
    showAnswered: (seq) => log.point(seq) || controller.goToAnswered({ at: seq }),
    typing: () => controller.chat.typing(),
    editLast() {
      const message = lastOwn(controller.state);
      if (message) log.edit(message.seq);
    },
    dismiss: () => controller.notify(null),
    announce: (text) => setText(announcer, text),
    notLoaded: () => controller.notify({ kind: "not_loaded" }),
    rename: async (name) => renameText(strings, await controller.chat.rename(name)),
    changeName: dialogs.changeName,
    goTo: moveTo,
    changeRoom: () => dialogs.changeRoom(""),
    mute: (person) => controller.mute(person),
    search: (words) => sides?.search.open(words || undefined),
    help: dialogs.showKeys,
  };
  const composer = createComposerView(locale, drafts, composerActions, emoji);
  const status = createStatusView(locale, () => controller.chat.retryNow());

  document.documentElement.lang = locale.language;
  setText(product, strings.product);
  const lock = icon("lock", "lock");
  const unlisted = icon("link", "unlisted");
  room.append(lock, roomName, unlisted, icon("chevron"));
  room.onclick = () => dialogs.changeRoom("");
  share.append(icon("share"), element("span", { textContent: strings.share }));
  share.title = strings.share;
  share.onclick = () => dialogs.share();
  document.addEventListener("keydown", showKeys);
  find("splash", HTMLElement).remove();
  find("unloaded", HTMLElement).remove();
  find("page", HTMLElement).hidden = false;

  function showKeys(event: KeyboardEvent) {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if ((event.target as Element).closest("input, textarea, select, [contenteditable], dialog")) return;
    if (preferences.read(PREFERENCES.characterKeys) === "off") return;
    event.preventDefault();
    dialogs.showKeys();
  }

  /** Goes to what an answer answers, or to an answer from what it answers, unless one sees it anyway. */
  function goFrom(seq: number, from: number) {
    if (!log.point(seq)) goToAnswered(seq, from);
  }

  /** Goes to a room, ready to write there. */
  function moveTo(room: string) {
    goTo(room);
    focusComposer();
  }

  // Not on a phone, where a keyboard would slide in over the conversation.
  function focusComposer() {
    if (!hasScreenKeyboard()) composer.focus();
  }

  /** Copies the address of a message, and says so to screen readers. */
  async function copyLink(seq: number): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(new URL(pathOf(controller.state.room.name, seq), location.href).href);
      showDone(announcer, strings.linkCopied);
      return true;
    } catch {
      dialogs.share(seq); // pages without TLS have no clipboard
      return false;
    }
  }

  async function loadListed() {
    const listed = await listRooms();
    if (listed) controller.listed(listed);
  }

  function announceErrors({ outbox }: State) {
    for (const { frame, error } of outbox.items) {
      if (!error) announced.delete(frame.id);
      else if (!announced.has(frame.id)) {
        announced.add(frame.id);
        setText(announcer, `${strings.notDone[frame.action]} ${errorText(strings, error)}`);
      }
    }
  }

  async function loadSides() {
    const { createSideViews } = await import("./side_views.ts");
    sides = createSideViews(locale, {
      enter: moveTo,
      openRoom: dialogs.openRoom,
      findRoom: () => dialogs.changeRoom(""),
      newRoom: dialogs.newRoom,
      openSettings: dialogs.openSettings,
      opened: () => void loadListed(),
      pathOf,
    }, {
      openPerson: dialogs.openPerson,
      unmute: (user) => controller.unmute(user),
      moderate: dialogs.moderate,
      listPeople,
    }, {
      goTo: moveTo,
      changeRoom: dialogs.changeRoom,
      retryNow: () => controller.chat.retryNow(),
      pathOf,
    }, {
      async load() {
        const { createSearchBox } = await import("../search/search_box.ts");
        return createSearchBox(locale, { controller, read, toLatest: log.toLatest });
      },
      failed: () => controller.notify({ kind: "not_loaded" }),
    });
    sides.render(controller.state);
  }

  async function startWorker() {
    const { registerWorker } = await import("../worker/registration.ts");
    worker = await registerWorker(pathOf(DEFAULT_ROOM), navigate);
    if (controller.state.status.kind === "connected") worker?.connected();
  }

  let before: State["room"] | null = null;
  let wasConnected = false;
  let worker: PageWorker | null = null;
  let sides: SideViews | null = null;
  leadToComposer(composer);
  focusComposer();
  painted().then(loadSides).catch(() => controller.notify({ kind: "not_loaded" }));
  setTimeout(() => {
    dialogs.load();
    loadRest();
    sides?.search.load();
    loadRichText();
    loadListed();
    bell.load();
    composer.load();
    loadReactions();
    // The page needs none of these; buttons do what the gestures do.
    const without = () => {};
    startWorker().catch(without);
    if (matchMedia("(any-pointer: coarse)").matches) {
      const { answer, isAnswerable } = log;
      import("./swipe.ts").then(({ answerBySwipe }) =>
        answerBySwipe({ log: find("log", HTMLElement), answer, isAnswerable })
      ).catch(without);
      import("../reactions/long_press.ts").then(({ createLongPress }) => createLongPress(find("log", HTMLElement)))
        .catch(without);
    }
    if (hasScreenKeyboard()) {
      import("./above_keyboard.ts").then(({ stayAboveKeyboard }) => stayAboveKeyboard(find("page", HTMLElement)))
        .catch(without);
    }
  }, REST_AFTER);
  return (state) => {
    const { name, isUnlisted } = displayName(state.room.name);
    const { unread, mentions } = unseen(state);
    setProperties(document, { title: name ? strings.title(name, mentions || unread) : strings.product });
    setText(roomName, name);
    // An address without a room has no name to show and no link to share.
    for (const part of [heading, share]) setProperties(part, { hidden: name === "" });
    const about = isUnlisted ? strings.onlyWithLink : "";
    // Its text is the name, and so is the heading's; what it does comes after that.
    setProperties(room, { title: about ? `${strings.changeRoom}. ${about}` : strings.changeRoom });
    lock.toggleAttribute("hidden", !state.room.locked);
    unlisted.toggleAttribute("hidden", !isUnlisted);
    if (before && before.name !== state.room.name) setText(announcer, strings.entered(name));
    before = state.room;
    const isConnected = state.status.kind === "connected";
    if (isConnected && !wasConnected) worker?.connected();
    wasConnected = isConnected;
    log.render(state);
    composer.render(state);
    sides?.render(state);
    dialogs.render(state);
    bell.render(state);
    status.render(state);
    announceErrors(state);
  };
}
