/** Every word of the page in Korean. */
import { CLOSE } from "../../chat/protocol.ts";
import type { Strings } from "./english.ts";
import { duration, plural } from "./format.ts";

export const korean: Strings = {
  product: "Parley",
  title: (room, unread) => `${unread > 0 ? `(${unread}) ` : ""}${room} – Parley`,

  log: (room) => `${room} 대화방의 메시지`,
  logHelp: "위아래 화살표 키로 메시지 사이를 이동할 수 있어요.",
  beginning: (room) => `${room} 대화방의 시작이에요`,
  earlier: "이전 메시지",
  loading: "이전 메시지를 불러오는 중…",
  loadFailed: "이전 메시지를 불러오지 못했어요.",
  newerFailed: "다음 메시지를 불러오지 못했어요.",
  noMessage: "그 메시지는 더 이상 여기에 없어요.",
  noPlace: "그 부분의 대화를 불러오지 못했어요. 다시 시도해 주세요.",
  missing: "연결이 끊겼었어요. 여기에 빠진 메시지가 있을 수 있어요.",
  today: "오늘",
  yesterday: "어제",
  newMessages: (count, more) => plural("ko", count, { other: `새 메시지 {n}개${more ? " 이상" : ""}` }),
  newFromHere: "여기부터 새 메시지",
  latest: "최신 메시지로",

  emptyTitle: "아직 아무도 말하지 않았어요.",
  emptyText: "아래에 첫마디를 남기거나 함께할 사람을 불러 보세요. 이 대화방의 링크를 여는 누구나 참여할 수 있어요.",
  copyLink: "링크 복사",
  linkCopied: "링크를 복사했어요",
  notLoaded: "페이지의 이 부분을 불러오지 못했어요. 페이지를 새로 고쳐 주세요.",
  copyByHand: (url) => `이 링크를 복사하세요: ${url}`,

  you: "나",
  edited: "수정됨",
  deleted: "삭제된 메시지예요",
  queued: "기다리는 중…",
  againIn: (seconds) => seconds < 100 ? `${seconds}초 후` : `${Math.ceil(seconds / 60)}분 후`,
  waits: {
    connection: "연결되면 보낼게요.",
    fast: "메시지를 너무 빨리 보내고 있어요. 잠시 후 저절로 다시 보내요.",
    slow: "천천히 모드인 대화방이에요. 차례가 되면 저절로 보내요.",
    store: "서버가 지금 메시지를 저장하지 못해요. 잠시 후 저절로 다시 보내요.",
  },
  underWay: {
    send_message: "보내는 중…",
    edit_message: "저장하는 중…",
    delete_message: "삭제하는 중…",
  },
  notDone: {
    send_message: "보내지 못했어요.",
    edit_message: "저장하지 못했어요.",
    delete_message: "삭제하지 못했어요.",
  },
  tryAgain: "다시 시도",
  signIn: "로그인",
  signInFirst: "대화하려면 로그인하세요.",
  signInText: "계정이 있는 사람만 들어올 수 있어요.",
  discard: "지우기",
  edit: "수정",
  delete: "삭제",
  save: "저장",
  cancel: "취소",
  close: "닫기",
  editLabel: "내 메시지 수정",
  editHelp: "Enter로 저장, Esc로 취소",
  deleteQuestion: "모두에게서 삭제할까요?",
  keep: "그대로 두기",

  compose: (room) => `${room} 대화방에 메시지 쓰기`,
  placeholder: "메시지를 입력하세요",
  send: "보내기",
  left: (count) => plural("ko", count, { other: "{n}자 남음" }),
  over: (count) => plural("ko", count, { other: "{n}자 초과" }),
  outboxFull: (count) =>
    plural("ko", count, {
      other: "메시지 {n}개가 전송을 기다리고 있어요. 자리가 날 때까지 이 글은 여기에 남아 있어요.",
    }),
  completions: { mention: "사람", person: "사람", emoji: "이모지", command: "명령어" },
  commands: {
    nick: ["이름", "내 이름을 바꿔요"],
    me: ["내용", "내가 하는 일을 말해요"],
    room: ["이름", "다른 대화방으로 가요"],
    mute: ["이름", "이 사람의 메시지를 내 화면에서 숨겨요"],
    help: ["", "키와 명령어를 보여 줘요"],
  },
  noCommand: (word) => `/${word} 명령어는 없어요. 그대로 보내려면 //로 시작하세요.`,
  sendAsText: "그대로 보내기",
  renamed: (name) => `이름을 바꿨어요: ${name}`,
  muteWhom: "/mute 뒤에 이름을 써 주세요.",
  nobodyNamed: (name) => `여기에 ‘${name}’ 이름을 쓰는 사람이 없어요.`,
  mutedNow: (name) => `이제 ${name} 님의 메시지가 내 화면에서 보이지 않아요.`,
  longPaste: "코드인가요?",
  formatAsCode: "코드 블록으로 만들기",
  formatAsCodeKey: "Ctrl+E 또는 ⌘E",
  keepAsText: "그대로 두기",
  locked: "잠긴 대화방이에요. 읽을 수만 있고 쓸 수는 없어요.",
  lockedPlaceholder: "지금은 아무도 쓸 수 없어요",
  slow: (seconds) => `천천히 모드: 메시지를 보내고 ${duration("ko", seconds)} 뒤에 다시 보낼 수 있어요.`,
  typing: (names) =>
    names.length === 1
      ? `${names[0]} 님이 입력하는 중…`
      : names.length === 2
      ? `${names[0]} 님과 ${names[1]} 님이 입력하는 중…`
      : "여러 명이 입력하는 중…",
  waiting: (count) => plural("ko", count, { other: "전송을 기다리는 메시지 {n}개" }),

  people: "지금 여기",
  peopleCount: (count) => plural("ko", count, { other: "{n}명 참여 중" }),
  peopleMore: (count) => plural("ko", count, { other: "외 {n}명" }),

  person: "사람",
  mute: "숨기기",
  unmute: "다시 보기",
  muteHelp: "숨기면 이 사람의 메시지가 내 화면에서만 가려져요. 다른 사람은 알 수 없어요.",
  mutedHelp: "이 사람의 메시지를 내 화면에서 가리고 있어요. 다른 사람은 알 수 없어요.",
  muted: "내가 숨긴 사람",
  mutedMark: "숨김",
  mutedMessages: (count, name) => plural("ko", count, { other: `숨긴 ${name} 님의 메시지 {n}개` }),

  moderate: "관리하기",
  moderating: "관리 중",
  moderateRoom: (room) => `${room} 대화방 관리`,
  stopModerating: "관리 끝내기",
  tokenField: "관리자 토큰",
  tokenHint: "이 서버를 운영하는 사람이 알고 있어요. 이 탭을 닫을 때까지만 보관돼요.",
  tokenBad: "서버가 받아들이지 않는 토큰이에요.",
  lock: "잠금",
  lockHelp: "누구나 읽을 수 있지만 아무도 쓸 수 없어요.",
  list: "목록에 공개",
  listHelp: "대화방을 바꿀 때 모두에게 보여요.",
  slowMode: "한 사람의 메시지 사이 간격",
  slowChoice: (seconds) => seconds === 0 ? "기다리지 않음" : duration("ko", seconds),
  banOrMute: "내보내기…",
  ban: "내보내기",
  banTitle: "이 채팅에서 내보내기",
  banFor: "기간",
  duration: (minutes) => duration("ko", minutes * 60),
  banReason: "이유 (관리자만 볼 수 있어요)",
  banAddress: "주소도 함께 막기",
  banAddressHelp: "같은 네트워크에서 접속하는 모든 사람이 들어올 수 없게 돼요.",
  banned: "내보낸 사람",
  nobodyBanned: "내보낸 사람이 없어요.",
  bannedUntil: (date) => `${date}까지`,
  addressToo: "주소 포함",
  liftBan: "풀기",
  banRead: "지난 대화를 읽을 수는 있어요.",
  banText: "기간이 끝나거나 관리자가 풀어 주면 다시 들어올 수 있어요.",
  banPlaceholder: "관리자가 내보냈어요",

  changeName: "이름 바꾸기",
  changeNameFrom: (name) => `지금 이름: ${name}. 이름 바꾸기`,
  nameField: "이름",
  nameHint: (limit) => `${limit}자까지 쓸 수 있어요. 같은 대화방에 있는 모두에게 보여요.`,
  nameOffline: "지금은 연결되어 있지 않아요. 연결되면 다시 시도해 주세요.",
  nameLost: (name) => `‘${name}’ 이름을 계속 쓸 수 없게 됐어요. 다른 이름을 골라 주세요.`,

  yourRooms: "대화방",
  showRooms: (unread, mentions) =>
    "대화방" +
    (mentions > 0
      ? plural("ko", mentions, { other: ", 나를 부른 메시지 {n}개" })
      : unread > 0
      ? plural("ko", unread, { other: ", 읽지 않은 메시지 {n}개" })
      : ""),
  findRoom: "대화방 찾기",
  newRoom: "새 대화방",
  roomActions: (room) => `${room} 대화방 더 보기`,
  roomLine: (room, unread, mentions, muted) =>
    [
      room,
      ...(mentions > 0 ? [plural("ko", mentions, { other: "나를 부른 메시지 {n}개" })] : []),
      ...(unread > 0 ? [plural("ko", unread, { other: "읽지 않은 메시지 {n}개" })] : []),
      ...(muted ? ["알림 꺼짐"] : []),
    ].join(", "),
  muteRoom: "이 대화방 알림 끄기",
  unmuteRoom: "이 대화방 알림 켜기",
  muteRoomHelp: "알림을 끄면 나를 부른 메시지만 읽지 않은 메시지로 세요.",
  leaveRoom: "이 대화방 나가기",
  leaveRoomHelp: "이름이나 링크로 언제든 다시 들어올 수 있어요.",
  jumpToDate: "날짜로 이동",
  dateField: "날짜",
  dateHint: "그날 또는 그 뒤의 첫 메시지를 보여 드려요.",
  linkToMessage: "이 메시지의 링크",
  changeRoom: "대화방 바꾸기",
  changeRoomFrom: (room) => `지금 대화방: ${room}. 대화방 바꾸기`,
  entered: (room) => `${room} 대화방에 들어왔어요`,
  roomField: "대화방 이름",
  roomHint: "새 이름을 쓰면 새 대화방이 열려요. 이름을 아는 사람은 누구나 읽을 수 있어요.",
  roomBad: "대화방 이름은 글자, 숫자, -, _로 64자까지 쓸 수 있고 띄어 쓸 수 없어요.",
  rooms: "누구에게나 열린 대화방",
  justNow: "방금",
  go: "이동",
  problemTitle: "이 대화방에는 들어갈 수 없어요.",
  nothingHere: "이 주소에는 아무것도 없어요.",
  nothingHereText: (path) => `대화방의 주소는 ${path} 같은 모양이에요.`,
  goToRoom: (room) => `${room} 대화방으로 가기`,

  notifications: "알림",
  notificationsOff: "알림: 꺼짐",
  notificationsFor: (room, level) => `${room} 대화방 알림: ${level}`,
  notificationsAbout:
    "다른 일을 하는 동안 올라온 메시지를 알려 드려요. 알림에는 대화방, 보낸 사람, 메시지의 앞부분이 나오므로 화면을 보는 다른 사람도 읽을 수 " +
    "있어요. 이 페이지가 탭에 열려 있어야 해요.",
  notificationCount: (count) => plural("ko", count, { other: "새 메시지 {n}개" }),
  turnOn: "켜기",
  turnOff: "끄기",
  notificationsAreOn: "이 브라우저에서 알림이 켜져 있어요.",
  notificationsAreOff: "알림이 꺼져 있어요.",
  notificationsNotAsked: "알림이 꺼져 있어요. 켜면 이 페이지의 알림을 허용할지 브라우저가 물어봐요.",
  notificationsDenied: "브라우저가 이 페이지의 알림을 막고 있어요.",
  notificationsAllow: {
    chrome: "주소 왼쪽의 아이콘을 눌러 알림을 허용해 주세요.",
    firefox: "주소 왼쪽의 줄이 그어진 아이콘을 눌러 차단을 풀고, 여기에서 다시 켜 주세요.",
    safari: "Safari 메뉴의 설정에서 웹사이트, 알림을 차례로 누르고 이 페이지를 허용해 주세요.",
    ios: "기기 설정의 알림에서 이 앱을 골라 알림을 허용해 주세요.",
    other: "브라우저 설정에서 이 페이지의 알림을 허용해 주세요.",
  },
  notificationsMissing: {
    insecure:
      "https가 아닌 페이지에서는 브라우저가 알림을 보여 주지 않아요. 서버 운영자라면 docs/deploying.md에서 https를 쓰는 방법을 볼 수 있어요.",
    not_installed:
      "iPhone과 iPad에서는 설치한 앱만 알림을 보여 줄 수 있어요. 공유를 누르고 ‘홈 화면에 추가’를 고른 뒤 홈 화면에서 열어 주세요.",
    unsupported: "이 브라우저에는 알림 기능이 없어요.",
  },
  notifyIn: (room) => `${room} 대화방에서 알릴 것`,
  levels: { everything: "모든 메시지", mentions: "멘션만", nothing: "없음" },
  levelChoices: { everything: "모든 메시지", mentions: "멘션만", nothing: "알리지 않기" },
  mentionHelp: (name) => `@${name}이 들어간 메시지`,
  sound: "부드러운 소리",
  soundHelp: "이 페이지를 보지 않는 동안 알릴 것이 있으면 소리로도 알려 드려요.",

  connecting: "연결하는 중…",
  connected: "연결됨",
  reconnecting: "다시 연결하는 중…",
  reconnectingIn: (seconds) => `${seconds}초 후`,
  tryNow: "지금 시도",
  tryingAgainIn: (seconds) => `${seconds}초 후 다시 시도`,
  offline: "오프라인 – 메시지는 여기서 기다려요",
  storeFails: "서버가 지금 메시지를 저장하지 못해요. 보낼 메시지는 여기서 기다려요.",
  refusalSummaries: {
    foreign_page: () => "서버가 이 페이지를 받아 주지 않아요.",
    crowded: () => "나 또는 같은 네트워크의 요청이 너무 많아요.",
    not_ready: () => "서버가 아직 준비되지 않았어요.",
    other: () => "서버가 이 페이지를 받아 주지 않아요.",
    intercepted: ({ status }) => `서버 대신 다른 것이 응답해요 (${status}).`,
  },
  refusalTitles: {
    foreign_page: () => "서버가 이 페이지를 다른 사이트의 페이지로 여겨 들여보내지 않아요.",
    crowded: () => "지금 나 또는 같은 네트워크에서 온 요청이 너무 많아요.",
    not_ready: () => "서버가 지금은 아무도 들여보낼 수 없어요.",
    other: () => "서버가 이 페이지를 들여보내지 않아요.",
    intercepted: ({ status }) => `서버 대신 다른 것이 응답하고 있어요 (${status}).`,
  },
  refusalTexts: {
    foreign_page: () =>
      `서버 운영자라면, 앞단의 프록시가 Host 헤더를 포트까지 그대로 전달하게 하거나 ALLOWED_ORIGINS에 ${location.origin}을 넣어 주세요. ` +
      "“deno task doctor”로 더 알아볼 수 있어요.",
    crowded: () =>
      "페이지가 알아서 다시 시도해요. 서버 운영자라면 NEWCOMERS_PER_MINUTE와 CONNECTIONS_PER_IP로 한 주소에서 올 수 있는 수를 정할 수 " +
      "있어요. 앞단에 프록시가 있다면 TRUST_PROXY를 설정해야 모두가 한 주소로 여겨지지 않아요.",
    not_ready: () =>
      "다시 시작하는 중이거나 저장소가 응답하지 않아요. 페이지가 알아서 다시 시도해요. 서버 운영자라면 로그에서 이유를 볼 수 있어요.",
    other: ({ message }) => message,
    intercepted: ({ status }) =>
      (status < 500 ? "먼저 로그인해야 할 수 있어요. 페이지를 새로 고쳐 보세요. " : "페이지가 알아서 다시 시도해요. ") +
      "서버 운영자라면 서버가 켜져 있는지, 앞단의 프록시가 무엇이라고 하는지 확인해 주세요. " +
      "“deno task doctor”로 더 알아볼 수 있어요.",
  },
  dismiss: "알림 닫기",

  errors: {
    bad_json: "서버가 내용을 읽지 못했어요.",
    bad_frame: "서버가 내용을 읽지 못했어요.",
    unknown_action: "서버가 모르는 동작이에요.",
    bad_room: "대화방 이름은 글자, 숫자, -, _로 64자까지 쓸 수 있고 띄어 쓸 수 없어요.",
    text_empty: "보낼 내용이 없어요.",
    text_too_long: "내용이 너무 길어요. 줄여서 다시 보내 주세요.",
    bad_name:
      "보이는 글자로 1~32자까지 써 주세요. 한 낱말에 여러 문자를 섞거나, ‘User 482’나 관리자로 보이는 이름은 쓸 수 없어요.",
    name_taken: "다른 사람이 쓰고 있는 이름이에요. 다른 이름을 골라 주세요.",
    not_found: "메시지가 더 이상 없어요.",
    forbidden: "여기서는 할 수 없는 일이에요.",
    rate_limited: "조금 빨랐어요. 잠시 후 다시 시도해 주세요.",
    frame_too_large: "내용이 너무 길어요. 줄여서 다시 보내 주세요.",
    too_many_rooms: "참여 중인 대화방이 너무 많아요. 하나를 먼저 나가 주세요.",
    unavailable: "지금은 서버가 처리할 수 없어요. 잠시 후 다시 시도해 주세요.",
  },
  sentences: {
    locked: "잠긴 대화방이에요. 지금은 읽을 수만 있어요.",
    notAuthor: "메시지를 쓴 사람만 바꿀 수 있어요.",
    gone: "메시지가 더 이상 없어요. 바뀐 것은 없어요.",
    nameIsExternal: "이름은 로그인한 계정에서 가져와요. 계정에서 이름을 바꾼 뒤 다시 들어와 주세요.",
  },
  closed: {
    [CLOSE.badToken]: "서버가 사용자를 확인하지 못했어요.",
    [CLOSE.notAllowed]: "관리자가 지금은 이 채팅에 들어오지 못하게 했어요.",
  },
  closedOther: (code) => `서버가 연결을 끝냈어요 (${code}).`,
};
