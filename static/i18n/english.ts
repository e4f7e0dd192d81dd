/** Every word of the page in English. The other languages have the same keys. */
import { CLOSE, type ErrorCode, SENTENCES } from "../../chat/protocol.ts";
import type { OutboxFrame } from "../../client/outbox.ts";
import type { Level } from "../away/settings.ts";
import type { Browser, Support } from "../away/support.ts";
import type { SessionRefusal } from "../../client/session_answer.ts";
import type { CommandName } from "../composer/commands.ts";
import type { Trigger } from "../composer/trigger.ts";
import type { WaitReason } from "../views/timeline.ts";
import { duration, isolated, moment, plural } from "./format.ts";

/** A text for each reason for which the server may refuse a session. */
export type RefusalTexts = {
  [Kind in SessionRefusal["kind"]]: (refusal: Extract<SessionRefusal, { kind: Kind }>) => string;
};

export type Sentence = keyof typeof SENTENCES;

export const english = {
  product: "Parley",
  title: (room: string, unread: number) => `${unread > 0 ? `(${unread}) ` : ""}${isolated(room)} – Parley`,

  log: (room: string) => `Messages in ${isolated(room)}`,
  logHelp:
    "Up and down arrow keys go from message to message, left and right to a message’s links and actions. Enter answers a message.",
  beginning: (room: string) => `The beginning of ${isolated(room)}`,
  earlier: "Earlier messages",
  loading: "Loading earlier messages…",
  loadFailed: "Earlier messages could not be loaded.",
  newerFailed: "Newer messages could not be loaded.",
  noMessage: "There is no such message here any more.",
  noPlace: "That part of the conversation could not be loaded. Please try again.",
  missing: "The connection was interrupted: messages may be missing here.",
  today: "Today",
  yesterday: "Yesterday",
  /** @param more there are more than are loaded */
  newMessages: (count: number, more: boolean) => plural("en", count, { other: `{n}${more ? "+" : ""} new` }),
  newFromHere: "New",
  latest: "Latest messages",

  emptyTitle: "Nothing has been said here yet.",
  emptyText: "Say the first word below, or bring someone along: whoever opens this room’s link can join in.",
  share: "Share",
  shareRoom: (room: string) => `Share ${isolated(room)}`,
  shareText: (room: string) => `Come and talk in ${isolated(room)}`,
  shareElsewhere: "Share…",
  roomLink: "Link to this room",
  anyoneWithLink: "Whoever opens this link can join in.",
  onlyWithLink: "Only people with the link can find this room.",
  qrCode: "QR code of this link, to be scanned with a phone’s camera",
  onlyThisComputer:
    "This link works on this computer only. For other devices in your network, open the page by this computer’s " +
    "address there, such as http://192.168.0.5:8000, and share that link.",
  copyLink: "Copy link",
  linkCopied: "Link copied",
  notLoaded: "That part of the page could not be loaded. Please load the page again.",
  copyByHand: "Copying is not allowed here. The link is selected: copy it by hand.",

  answer: "Answer",
  /** Above an answer, for screen readers. @param name empty where it is not known */
  inAnswerTo: (name: string, text: string) => `In answer to ${name ? `${isolated(name)}: ` : ""}${text}`,
  answering: (name: string) => `Answer to ${isolated(name)}`,
  stopAnswering: "Stop answering",
  /** In place of the words that are answered. */
  answeredDeleted: "a deleted message",
  answeredGone: "a message that is no longer here",
  answeredMuted: "a message from someone you muted",
  /** Why an answer was refused. */
  answeredLost: "The message that it answers has been deleted.",
  sendPlain: "Send without the quote",
  /** To the answer from which one has gone to what it answers. */
  back: "Back",
  goBack: "Back to where you were",
  answers: (count: number) => plural("en", count, { one: "{n} answer", other: "{n} answers" }),
  allAnswers: (count: number) => plural("en", count, { one: "All {n} answers", other: "All {n} answers" }),
  answersTitle: "Answers",
  moreAnswers: "More answers",
  answersLoading: "Loading the answers…",
  answersFailed: "The answers could not be loaded.",
  showInConversation: "Show in the conversation",

  you: "you",
  edited: "edited",
  deleted: "Message deleted",
  code: "Code",
  copyCode: "Copy",
  codeCopied: "Copied",
  queued: "Waiting…",
  /** Beside a message that waits, and below it. */
  againIn: (seconds: number) => seconds < 100 ? `in ${seconds} s` : `in ${Math.ceil(seconds / 60)} min`,
  waits: {
    connection: "This waits for the connection.",
    fast: "You are writing very fast. This is sent again by itself.",
    slow: "This room is slow. This is sent when it is your turn again.",
    store: "The server can’t keep messages right now. This is sent again by itself.",
  } satisfies Record<WaitReason, string>,
  /** Of an action that is on its way, and of one that was refused. */
  underWay: {
    send_message: "Sending…",
    edit_message: "Saving…",
    delete_message: "Deleting…",
  } satisfies Record<OutboxFrame["action"], string>,
  notDone: {
    send_message: "Not sent.",
    edit_message: "Not saved.",
    delete_message: "Not deleted.",
  } satisfies Record<OutboxFrame["action"], string>,
  notReacted: "Your reaction was not kept.",
  tryAgain: "Try again",
  signIn: "Sign in",
  signInFirst: "Sign in to talk here.",
  signInText: "Only people with an account come in.",
  discard: "Discard",
  edit: "Edit",
  delete: "Delete",
  save: "Save",
  cancel: "Cancel",
  close: "Close",
  editLabel: "Edit your message",
  editHelp: "Enter to save, Esc to cancel",
  deleteQuestion: "Delete for everyone?",
  keep: "Keep it",

  react: "React",
  /** What a screen reader says of a reaction to a message. */
  reaction: (emoji: string, count: number, mine: boolean) =>
    mine && count === 1
      ? `${emoji}, 1 person, you`
      : `${emoji}, ${plural("en", count, { one: "{n} person", other: "{n} people" })}${
        mine ? ", you are one of them" : ""
      }`,
  reactionCount: (count: number) => plural("en", count, { other: "{n}" }),
  moreEmoji: "More emoji",
  chooseEmoji: "Choose an emoji",
  findEmoji: "Find an emoji",
  noEmoji: "No emoji is called that.",
  emojiFailed: "The emoji could not be loaded.",
  skinTone: "Skin tone",
  skinTones: ["None", "Light", "Medium-light", "Medium", "Medium-dark", "Dark"],
  /** @param names of whoever is named, in front of the others */
  reactedBy: (names: readonly string[], others: number) =>
    new Intl.ListFormat("en-GB").format([
      ...names.map(isolated),
      ...(others === 0 ? [] : [
        names.length > 0
          ? plural("en", others, { one: "{n} other", other: "{n} others" })
          : plural("en", others, { one: "{n} person", other: "{n} people" }),
      ]),
    ]),
  youFirst: "You",
  whoReacted: (emoji: string) => `Who reacted with ${emoji}`,
  whoFailed: "Who reacted could not be loaded.",

  compose: (room: string) => `Message to ${isolated(room)}`,
  placeholder: "Write a message",
  send: "Send",
  left: (count: number) => plural("en", count, { one: "{n} character left", other: "{n} characters left" }),
  over: (count: number) => plural("en", count, { one: "{n} character too many", other: "{n} characters too many" }),
  outboxFull: (count: number) =>
    plural("en", count, {
      one: "{n} message is waiting to be sent. Yours stays here until there is room for it.",
      other: "{n} messages are waiting to be sent. Yours stays here until there is room for it.",
    }),
  /** What is listed while one types. */
  completions: { mention: "People", person: "People", emoji: "Emoji", command: "Commands" } satisfies Record<
    Trigger["kind"],
    string
  >,
  /** What stands behind a command, and what it does. */
  commands: {
    nick: ["NAME", "Changes your name"],
    me: ["TEXT", "Says what you do"],
    room: ["NAME", "Goes to a room"],
    mute: ["NAME", "Hides someone’s messages on your screen"],
    search: ["WORDS", "Searches this room"],
    help: ["", "Lists keys and commands"],
  } satisfies Record<CommandName, [argument: string, help: string]>,
  commandList: "Commands, at the start of a message",
  noCommand: (word: string) => `There is no command /${word}. To send it as it is, begin with //.`,
  sendAsText: "Send as text",
  renamed: (name: string) => `You are ${isolated(name)} now.`,
  muteWhom: "Write a name behind /mute.",
  nobodyNamed: (name: string) => `Nobody here is called ${isolated(name)}.`,
  mutedNow: (name: string) => `Messages from ${isolated(name)} are hidden on your screen now.`,
  longPaste: "Is this code?",
  formatAsCode: "Format as a code block",
  formatAsCodeKey: "Ctrl+E or ⌘E",
  keepAsText: "Keep as text",
  locked: "This room is locked. You can read, but not write.",
  lockedPlaceholder: "Nobody can write here now",
  slow: (seconds: number) => `Slow room: ${duration("en", seconds)} between your messages.`,
  typing: (names: string[]) =>
    names.length === 1
      ? `${isolated(names[0])} is typing…`
      : names.length === 2
      ? `${isolated(names[0])} and ${isolated(names[1])} are typing…`
      : "Several people are typing…",
  waiting: (count: number) =>
    plural("en", count, { one: "{n} message waiting to be sent", other: "{n} messages waiting to be sent" }),

  search: {
    open: (room: string) => `Search in ${isolated(room)}`,
    field: "Search for",
    placeholder: "Words, or “a phrase”",
    hint: "Messages with all of the words are found. Put words in “quotation marks” to find them side by side.",
    from: "From",
    /** What one types before a name to choose it, besides “from”. */
    fromWord: "from",
    anyone: "Anyone",
    people: "People",
    nobody: "Nobody known here has this name.",
    notOnly: (name: string) => `Not only from ${isolated(name)}`,
    until: "Until",
    results: "What was found",
    searching: "Searching…",
    /** @param more there may be older ones */
    count: (count: number, more: boolean) =>
      plural("en", count, {
        one: `{n} message${more ? " so far" : ""}`,
        other: `{n} messages${more ? " so far" : ""}`,
      }),
    none: "Nothing was found.",
    searchedBack: (day: string) => `Searched back to ${day}…`,
    nothingBackTo: (day: string) => `Nothing was found back to ${day}.`,
    further: "Search further back",
    moreResults: "Find older ones",
    place: (at: number, count: number, more: boolean) => `${at} of ${count}${more ? "+" : ""}`,
    backToResults: "Back to what was found",
    older: "Older one",
    newer: "Newer one",
    close: "Close search",
  },

  people: "Here now",
  peopleCount: (count: number) => plural("en", count, { one: "{n} person here", other: "{n} people here" }),
  peopleMore: (count: number) => plural("en", count, { one: "and {n} more", other: "and {n} more" }),
  morePeople: "Show more",
  findPerson: "Find someone",
  searchingPeople: "Looking…",
  nobodyFound: "Nobody here has this name.",
  peopleFailed: "The others could not be loaded.",

  person: "Person",
  openPerson: (name: string) => `About ${isolated(name)}`,
  isHere: "Here now",
  isNotHere: "Not here right now",
  mention: "Mention",
  copyName: "Copy name",
  nameCopied: "Name copied",
  copyNameByHand: "The name is selected: copy it by hand.",
  mute: "Mute",
  unmute: "Unmute",
  muteHelp: "Muted, their messages are hidden on your screen. Nobody else notices.",
  mutedHelp: "Their messages are hidden on your screen. Nobody else notices.",
  muted: "Muted by you",
  mutedMark: "muted",
  mutedMessages: (count: number, name: string) =>
    plural("en", count, {
      one: `{n} message from ${isolated(name)}, whom you muted.`,
      other: `{n} messages from ${isolated(name)}, whom you muted.`,
    }),

  moderate: "Moderate",
  moderating: "Moderating",
  moderateRoom: (room: string) => `Moderate ${isolated(room)}`,
  stopModerating: "Stop moderating",
  tokenField: "Moderator token",
  tokenHint: "Whoever runs this server has it. It is kept in this tab until you close it.",
  tokenBad: "The server does not take this token.",
  lock: "Locked",
  lockHelp: "Everyone can read, nobody can write.",
  list: "Listed",
  listHelp: "Everyone is shown this room when they change rooms.",
  neverListed: "This room was made for people with its link only. It is never listed.",
  slowMode: "Between two messages of one person",
  slowChoice: (seconds: number) => seconds === 0 ? "No wait" : duration("en", seconds),
  ban: "Ban",
  banTitle: "Ban from this chat",
  banFor: "For how long",
  duration: (minutes: number) => duration("en", minutes * 60),
  banReason: "Reason, for moderators only",
  banAddress: "Their address too",
  banAddressHelp: "Keeps out everyone who connects from the same network.",
  banned: "Banned",
  nobodyBanned: "Nobody is banned.",
  bannedUntil: (date: string) => `until ${date}`,
  addressToo: "with their address",
  liftBan: "Lift",
  banRead: "You can read what was said before.",
  banText: "You can come back when the ban is over, or when a moderator lifts it.",
  banPlaceholder: "A moderator has sent you away",

  changeName: "Change your name",
  changeNameFrom: (name: string) => `You are ${isolated(name)}. Change your name`,
  nameField: "Your name",
  nameHint: (limit: number) => `Up to ${limit} characters. Everyone in your rooms sees it.`,
  nameHeld: (until: number) => `This name is kept for someone else until ${moment("en", until)}. Choose another one.`,
  noConnection: "There is no connection right now. Please try again when you are connected.",
  nameLost: (name: string) => `The name “${isolated(name)}” could not be kept for you. You can choose another one.`,

  yourRooms: "Rooms",
  showRooms: (unread: number, mentions: number) =>
    "Rooms" +
    (mentions > 0
      ? plural("en", mentions, { one: ", {n} mention of you", other: ", {n} mentions of you" })
      : unread > 0
      ? plural("en", unread, { other: ", {n} unread" })
      : ""),
  /** @param names the last ones */
  mentionedBy: (names: readonly string[]) => `${names.map(isolated).join(", ")} mentioned you`,
  roomOrder: "Order of the rooms",
  byName: "By name",
  newestFirst: "Newest message first",
  findRoom: "Find a room",
  newRoom: "New room",
  roomActions: (room: string) => `More about ${isolated(room)}`,
  roomLine: (room: string, unread: number, mentions: number, muted: boolean) =>
    [
      ...(room ? [isolated(room)] : []),
      ...(mentions > 0 ? [plural("en", mentions, { one: "{n} mention of you", other: "{n} mentions of you" })] : []),
      ...(unread > 0 ? [plural("en", unread, { other: "{n} unread" })] : []),
      ...(muted ? ["muted"] : []),
    ].join(", "),
  muteRoom: "Mute this room",
  unmuteRoom: "Unmute this room",
  muteRoomHelp: "Muted, what is said here does not count as unread, unless it mentions you.",
  leaveRoom: "Leave this room",
  leaveRoomHelp: "You can come back by its name or its link.",
  jumpToDate: "Jump to a date",
  dateField: "Date",
  dateHint: "The first message of that day or later is shown.",
  linkToMessage: "Link to this message",
  changeRoom: "Change room",
  entered: (room: string) => `You are now in ${isolated(room)}`,
  newRoomField: "Name (you can leave it empty)",
  newRoomHint: "It gets a link that can’t be guessed. Only people with the link can find it.",
  newRoomStem: "room",
  makeRoom: "Make room",
  roomField: "Room name",
  roomHint: "A new name opens a new room. Whoever knows the name can read along. Spaces become hyphens.",
  roomOpens: "opens this room",
  roomBad: {
    empty: () => "A room needs a name.",
    character: (character: string) => `“${character}” can’t be in a room’s name: it has letters, digits, - and _.`,
    long: (limit: number) => `A room’s name has up to ${limit} characters.`,
  },
  rooms: "Rooms open to everyone",
  justNow: "just now",
  go: "Go",
  problemTitle: "You can’t be in this room.",
  nothingHere: "There is nothing at this address.",
  nothingHereText: (path: string) => `A room has an address like ${path}.`,
  goToRoom: (room: string) => `Go to ${isolated(room)}`,

  settings: "Settings",
  language: "Language",
  theme: "Colours",
  /** As the browser or the system has it. */
  asSystem: "As on your system",
  light: "Light",
  dark: "Dark",
  characterKeys: "? shows the keys",
  characterKeysHelp: "Turn it off if you talk to your device, or touch keys unintentionally.",

  keys: "Keys",
  keyGroups: {
    everywhere: "Everywhere",
    rooms: "Rooms",
    conversation: "In the conversation",
    composer: "Where you write",
  },
  keyActions: {
    showKeys: "Show these keys",
    move: "To the next part of the page, and back",
    close: "Close what is open",
    switchRoom: "Go to a room",
    stepRoom: "Previous or next room",
    stepUnread: "Previous or next room with new messages",
    search: "Search the room; once more, on the page",
    stepMessage: "Previous or next message",
    stepControl: "Links and actions of a message",
    use: "Answer a message, or use its link or action",
    react: "React to the message",
    goBack: "Back, from what an answer answers",
    jump: "First message that is loaded, or the newest",
    leave: "Back to the message, then to where you write",
    send: "Send",
    breakLine: "New line",
    editLast: "Edit your last message, when the field is empty",
    complete: "Find a person, an emoji or a command",
    formatPaste: "Make a block of code of what you have pasted",
    cancel: "Cancel an edit or an answer",
  },

  notifications: "Notifications",
  notificationsOff: "Notifications: off",
  notificationsFor: (room: string, level: string) => `Notifications in ${isolated(room)}: ${level}`,
  notificationsAbout:
    "They tell you what is said while you look at something else. Each shows the room, who wrote, and how the message " +
    "begins, so others who see your screen can read it too. This page must stay open in a tab.",
  notificationCount: (count: number) => plural("en", count, { one: "{n} new message", other: "{n} new messages" }),
  turnOn: "Turn on",
  turnOff: "Turn off",
  notificationsAreOn: "They are on in this browser.",
  notificationsAreOff: "They are off.",
  notificationsNotAsked: "They are off. When you turn them on, your browser asks whether this page may show them.",
  notificationsDenied: "Your browser keeps this page from showing them.",
  /** How to allow them again, in each browser. */
  notificationsAllow: {
    chrome: "Press the icon on the left of the address, and allow notifications there.",
    firefox: "Press the crossed-out icon on the left of the address, and remove the block. Then turn them on here.",
    safari: "In Safari’s menu choose Settings, then Websites, then Notifications, and allow this page.",
    ios: "In the device’s settings choose Notifications, then this app, and allow them.",
    other: "Allow notifications for this page in your browser’s settings.",
  } as Record<Browser, string>,
  /** Why there can be none. */
  notificationsMissing: {
    insecure:
      "Browsers show none for a page without https. If the server is yours: docs/deploying.md says how to get https.",
    not_installed:
      "On iPhone and iPad, only an installed app can show them: press Share, then Add to Home Screen, and open it from there.",
    unsupported: "This browser has none.",
  } as Record<Exclude<Support, NotificationPermission>, string>,
  notifyIn: (room: string) => `In ${isolated(room)}, tell me about`,
  levels: { everything: "everything", mentions: "mentions", nothing: "nothing" } as Record<Level, string>,
  levelChoices: {
    everything: "Everything",
    mentions: "Mentions of me",
    nothing: "Nothing",
  } as Record<Level, string>,
  mentionHelp: (name: string) => `Messages with @${isolated(name)}`,
  sound: "Soft sound",
  soundHelp: "With what you are told about, while you don’t look at this page.",

  connecting: "Connecting…",
  connected: "Connected",
  reconnecting: "Reconnecting…",
  reconnectingIn: (seconds: number) => `in ${seconds} s`,
  tryNow: "Try now",
  tryingAgainIn: (seconds: number) => `Trying again in ${seconds} s`,
  offline: "Offline – your messages wait here",
  storeFails: "The server can’t keep messages right now. Yours wait here.",
  /** Short, for the foot of the page. */
  refusalSummaries: {
    foreign_page: () => "The server refuses this page.",
    crowded: () => "Too much from you or your network.",
    not_ready: () => "The server is not ready.",
    other: () => "The server refuses this page.",
    intercepted: ({ status }) => `Something else answers (${status}).`,
  } as RefusalTexts,
  refusalTitles: {
    foreign_page: () => "The server takes this page for another site’s, and does not let it in.",
    crowded: () => "Too much comes from you or from your network right now.",
    not_ready: () => "The server can’t let anyone in right now.",
    other: () => "The server does not let this page in.",
    intercepted: ({ status }) => `Something else answers in the server’s place (${status}).`,
  } as RefusalTexts,
  refusalTexts: {
    foreign_page: () =>
      "If the server is yours: the proxy in front of it must pass the Host header on as it came, with its port, or " +
      `ALLOWED_ORIGINS must have ${location.origin}. “deno task doctor” says more.`,
    crowded: () =>
      "The page tries again by itself. If the server is yours: NEWCOMERS_PER_MINUTE and CONNECTIONS_PER_IP say how many " +
      "may come from one address, and behind a proxy all do unless TRUST_PROXY is set.",
    not_ready: () =>
      "It is being started again, or its store does not answer. The page tries again by itself. If the server is yours: " +
      "its log says why.",
    other: ({ message }) => message,
    intercepted: ({ status }) =>
      (status < 500 ? "You may have to sign in first: reload the page. " : "The page tries again by itself. ") +
      "If the server is yours: see whether it runs, and what the proxy in front of it says. “deno task doctor” says more.",
  } as RefusalTexts,
  dismiss: "Dismiss",

  errors: {
    bad_json: "The server could not read this.",
    bad_frame: "The server could not read this.",
    unknown_action: "The server does not know how to do this.",
    bad_room: "A room’s name has 1 to 64 letters, digits, - or _. Nothing else can be in its address.",
    text_empty: "There is nothing in it to send.",
    text_too_long: "It is too long. Shorten it and send it again.",
    bad_emoji: "A reaction is one emoji.",
    too_many_reactions: "This message has enough different reactions. Choose one of those it has.",
    bad_name:
      "A name has 1 to 32 visible characters, no word that mixes alphabets, and does not look like “User 482” or a moderator.",
    name_taken: "Someone else has this name. Choose another one.",
    not_found: "The message is not there any more.",
    forbidden: "You are not allowed to do this here.",
    rate_limited: "That was a little fast. Wait a moment and try again.",
    frame_too_large: "It is too long. Shorten it and send it again.",
    too_many_rooms: "You are in too many rooms. Leave one first.",
    bad_query: "That can’t be searched for. Write a word of two letters at least, and no more than 200 characters.",
    unavailable: "The server can’t do this right now. Try again in a moment.",
  } as Record<ErrorCode, string>,
  /** What the server says where a code alone says little. */
  sentences: SENTENCES as Record<Sentence, string>,
  closed: {
    [CLOSE.badToken]: "The server did not recognise you.",
    [CLOSE.notAllowed]: "A moderator keeps you out of this chat for now.",
  } as Record<number, string>,
  closedOther: (code: number) => `The server ended the connection (${code}).`,
};

export type Strings = typeof english;
