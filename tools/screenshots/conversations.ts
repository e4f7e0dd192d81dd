/** What the people in the pictures of the page say. */

/** The one whose page is shown. */
export const READER = "Hana";
export const PEOPLE = ["Mina", "Jonas", "Aiko Tanaka", "Daniel", "Leïla", "Sunwoo", "민준", "서연", "지우"];

export interface Conversation {
  readonly room: string;
  /** Whether the reader has been in it, so that it is at the side. */
  readonly visited: boolean;
  readonly said: readonly Said[];
}

/** When, who, and what. */
export type Said = readonly [at: string, from: string, text: string, more?: {
  /** The number of the message that it answers, as the room's list has it: 1 is the first. */
  answers?: number;
  /** By emoji, who gave it. */
  reactions?: Record<string, readonly string[]>;
}];

const code = `\`\`\`ts
// Two cranes, one berth: who came first goes first.
export function nextBerth(ships: readonly Ship[]): Ship | undefined {
  const waiting = ships.filter((ship) => !ship.berthed && ship.draught < 9.5);
  return waiting.toSorted((one, other) => one.arrived - other.arrived)[0];
}
\`\`\``;

export const conversations: readonly Conversation[] = [
  {
    room: "islands",
    visited: true,
    said: [
      ["09:12", "Mina", "Morning! The ferry to the **outer islands** goes at 10:40 on Saturday, and not on Sunday."],
      ["09:14", "Jonas", "Then Saturday it is. Who has a car?"],
      ["09:15", "Daniel", "Me, four seats. I can take the tent too.", {
        reactions: { "🚗": ["Jonas", "Mina", "Hana"] },
      }],
      ["09:15", "Daniel", "Leaving from the station at *nine sharp*."],
      ["09:31", "Aiko Tanaka", "What do we still need?"],
      ["09:33", "Mina", "- gas for the stove\n- a second torch\n- ~~maps~~ Jonas has them"],
      ["09:34", "Hana", "I bring the torch, and coffee for everyone."],
      ["09:34", "Leïla", "❤️☕"],
      ["10:02", "Sunwoo", "Could somebody wait for the 9:07 train?", { answers: 4 }],
      ["10:03", "Daniel", "For you, yes.", { answers: 9 }],
      ["10:04", "Daniel", "/me puts nine *oh seven* into his calendar"],
      ["10:20", "Jonas", "Weather looks fine: https://weather.example/islands"],
      ["10:21", "Mina", "@Hana can you ask at the harbour whether the small boat is free?"],
      ["10:26", "Hana", "Asked. It is, from 15:00 on.", {
        answers: 13,
        reactions: { "🎉": ["Mina", "Aiko Tanaka", "Leïla", "Sunwoo"], "⛵": ["Jonas", "Hana"] },
      }],
      ["10:27", "Leïla", "Perfect. See you all on Saturday!"],
    ],
  },
  {
    room: "workshop",
    visited: true,
    said: [
      ["13:02", "Jonas", "The berth planner picks the wrong ship when two wait. Found it, I think:"],
      ["13:04", "Jonas", code],
      ["13:06", "Aiko Tanaka", "`toSorted` copies, so the caller's list stays as it was. Nice."],
      ["13:07", "Sunwoo", "Why 9.5?"],
      ["13:08", "Jonas", "Depth of the basin at low tide, minus half a metre. I'll name it."],
      [
        "13:11",
        "Hana",
        'Then the test from Tuesday can go:\n```sh\ndeno test harbour/berth_test.ts --filter "low tide"\n```',
      ],
      [
        "13:12",
        "Leïla",
        "One more, from the log of last night:\n> 02:14 crane 2 idle, ship *Meridian* waiting\n\nThat is the same, right?",
      ],
      ["13:15", "Jonas", "Exactly that. **Fixed on main**, please pull."],
      ["13:18", "Mina", "Pulled, all green."],
      ["13:19", "Daniel", "🎉"],
      ["13:40", "Aiko Tanaka", "Writing it up:\n1. what went wrong\n2. how we saw it\n3. what tells us the next time"],
    ],
  },
  {
    room: "제주도-여행",
    visited: true,
    said: [
      ["11:05", "민준", "다들 토요일 비행기 예약했어요?"],
      ["11:06", "서연", "네! 저는 **오전 9시 30분** 비행기예요."],
      ["11:07", "지우", "저도 같은 비행기예요 🙌"],
      ["11:12", "민준", "그럼 렌터카는 제가 할게요.\n- 4명 탈 수 있는 차\n- 보험 포함\n- 공항에서 바로 받기"],
      ["11:13", "Hana", "고마워요! 숙소 주소는 여기 있어요: https://stay.example/jeju"],
      ["11:20", "서연", "첫날은 성산일출봉, 둘째 날은 우도 어때요?", {
        reactions: { "👍": ["민준", "Hana"], "🌅": ["지우"] },
      }],
      ["11:21", "지우", "좋아요. 우도는 배 시간을 *꼭* 확인해야 해요."],
      ["11:24", "민준", "첫 배가 8시예요.", { answers: 7 }],
      ["11:26", "Hana", "그럼 7시 반에 항구에서 만나요."],
      ["11:27", "서연", "🍊🍊🍊"],
    ],
  },
  {
    room: "book-club",
    visited: false,
    said: [
      ["16:10", "Leïla", "Next month: something short, please."],
      ["16:12", "Daniel", "@Hana you had an idea?"],
      ["16:13", "Leïla", "Nothing above 200 pages!"],
    ],
  },
];
