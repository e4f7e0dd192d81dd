/** People who talk in a room, over real sockets. */

/** Who they are, and what they say: short and long, in two languages, with a link and several lines now and then. */
const NAMES = ["Mina", "지훈", "Ola Nordmann", "서연", "Ben", "Priya", "민준", "Zoë"];
const TEXTS = [
  "Good morning!",
  "좋은 아침이에요",
  "Is the ferry at nine still the plan? The early one is full, I just looked, and the one at eleven takes twice as long because it stops at every island on its way.",
  "yes",
  "네, 아홉 시 배로 가요. 표는 제가 어제 미리 사 두었으니까 항구에서 바로 만나면 됩니다.",
  "I'll bring coffee for everyone ☕",
  "https://www.openstreetmap.org/#map=13/59.91/10.75 is where we meet",
  "👍",
  "One more thing: the weather. They say rain from noon on, so please take something waterproof, and shoes that may get wet. The path to the lighthouse is two kilometres, most of it along the shore, and there is no roof anywhere until we are back at the harbour.",
  "비 온대요?",
  "우산 말고 우비를 가져오는 게 좋겠어요. 바람이 많이 불어서 우산은 금방 뒤집혀요.",
  "Shopping list:\n- bread\n- cheese, the hard one\n- apples\n- water for six",
  "I have the cheese",
  "사과는 제가 살게요 🍎",
  "Who has the key of the cabin? It was with Ben last time.",
  "Still is.",
  "ok",
  "몇 시에 돌아와요? 저녁에 약속이 하나 있어서요.",
  "The last boat leaves at 18:40. If we take the one before, we are back at half past six at the latest, and there is time to eat together.",
  "Perfect",
  "그럼 다섯 시 반 배로 돌아오는 걸로 해요. 다들 괜찮죠?",
  "Fine with me.",
  "See you there!",
];
/** Messages that may be on their way at once, so that none is refused, where it does not matter who answers whom. */
const AT_ONCE = 250;
/** Up to so many messages it does matter: each waits for the one before. */
const IN_ORDER = 2_000;
/** Milliseconds that those may take. */
const TIMEOUT = 30_000;

/** What is set on a server whose visitors all come from this machine. */
export const NO_LIMITS = {
  MESSAGE_RATE: "0",
  JOINS_PER_MINUTE: "0",
  RENAMES_PER_MINUTE: "0",
  SIGNALS_PER_MINUTE: "0",
  READS_PER_MINUTE: "0",
  NEWCOMERS_PER_MINUTE: "0",
  CONNECTIONS_PER_IP: "0",
};

export class People {
  readonly #room: string;
  readonly #sockets: WebSocket[];
  /** Messages that the first of them has seen arrive. */
  #arrived = 0;
  #said = 0;

  private constructor(room: string, sockets: WebSocket[]) {
    this.#room = room;
    this.#sockets = sockets;
    sockets[0].onmessage = ({ data }) => {
      for (const { action } of [JSON.parse(data)].flat()) if (action === "receive_message") this.#arrived++;
    };
  }

  /** All of them come into a room, each under a name of their own. */
  static async enter(url: string, room: string): Promise<People> {
    const address = `${url.replace(/^http/, "ws")}/connect?room=${encodeURIComponent(room)}`;
    const sockets = NAMES.map(async (name) => {
      const socket = new WebSocket(address, "chat.batch.v1");
      await new Promise<void>((resolve, reject) => {
        socket.onerror = reject;
        socket.onmessage = ({ data }) => {
          const actions = [JSON.parse(data)].flat().map(({ action }) => action);
          if (actions.includes("room_joined")) socket.send(JSON.stringify({ action: "set_name", name }));
          if (actions.includes("name_changed") || actions.includes("error")) resolve();
        };
      });
      socket.onmessage = null;
      return socket;
    });
    return new People(room, await Promise.all(sockets));
  }

  /** Says the next thing. Mostly somebody answers, sometimes the same one goes on. */
  say(): void {
    const at = this.#said++;
    const speaker = Math.floor(at * 0.7) % this.#sockets.length;
    const text = TEXTS[at % TEXTS.length];
    this.#sockets[speaker].send(JSON.stringify({ action: "send_message", room: this.#room, text }));
  }

  /** Says so much, as fast as it is stored. */
  async fill(messages: number): Promise<void> {
    const atOnce = messages > IN_ORDER ? AT_ONCE : 1;
    for (let left = messages; left > 0; left -= atOnce) {
      for (let more = Math.min(left, atOnce); more > 0; more--) this.say();
      await this.arrived();
    }
  }

  /** Says so much in a second, for so many seconds. */
  async talk(rate: number, seconds: number): Promise<void> {
    const start = performance.now();
    for (let said = 0; said < rate * seconds;) {
      const due = Math.min(rate * seconds, Math.floor((performance.now() - start) / 1000 * rate));
      for (; said < due; said++) this.say();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits until all that was said has been delivered. */
  async arrived(): Promise<void> {
    for (const start = performance.now(); this.#arrived < this.#said;) {
      if (performance.now() - start > TIMEOUT) throw new Error(`${this.#arrived} of ${this.#said} messages arrived`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async leave(): Promise<void> {
    await Promise.all(this.#sockets.map((socket) =>
      new Promise((resolve) => {
        socket.onclose = resolve;
        socket.close();
      })
    ));
  }
}
