import assert from "node:assert/strict";
import { systemClock } from "../../chat/clock.ts";
import type { ReceiveMessage, ServerFrame } from "../../chat/protocol.ts";

/** Messages that one client has on the way at a time. */
const WINDOW = 8;

/** How long it waits after it was refused, milliseconds. */
const REFUSED_PAUSE = 100;

/**
 * A client with the retry rule, always talking: what has not come back is sent again with the same id, after resuming.
 * It comes back at once, which well-behaved clients don't, and to the next of several servers.
 */
export class RetryingClient {
  readonly #urls: string[];
  readonly #name: string;
  readonly #most: number;
  readonly #token: string;
  readonly user: string;
  #socket: WebSocket | undefined;
  #unacknowledged = new Map<string, string>();
  #sent = 0;
  #stopping = false;
  readonly #cancels = new Set<() => void>();
  #drained: (() => void) | undefined;
  /** What was acknowledged, by id. */
  readonly acknowledged = new Map<string, ReceiveMessage>();
  /** Everything seen in the room, in the order in which it came. */
  readonly seen: ReceiveMessage[] = [];
  readonly epoch: string;

  /**
   * A new person who begins to talk.
   * @param options.others servers to go on at when the connection is lost, one after the other
   * @param options.most messages that it says, so that what several say fits into one resume
   */
  static async start(
    url: string,
    name: string,
    options: { others?: string[]; most?: number } = {},
  ): Promise<RetryingClient> {
    const session = await (await fetch(`${url}/api/session`, { method: "POST" })).json();
    const { epoch } = await (await fetch(`${url}/api/rooms/general/messages?limit=1`)).json();
    return new RetryingClient([url, ...options.others ?? []], name, { ...session, epoch }, options.most ?? Infinity);
  }

  private constructor(
    urls: string[],
    name: string,
    session: { user: string; token: string; epoch: string },
    most: number,
  ) {
    this.#urls = urls;
    this.epoch = session.epoch;
    this.#name = name;
    this.#most = most;
    this.user = session.user;
    this.#token = session.token;
    this.#connect();
  }

  /** Stops making new messages; resolves when all have been acknowledged. */
  drain(): Promise<void> {
    this.#stopping = true;
    return new Promise((resolve) => {
      this.#drained = resolve;
      this.#fill();
    });
  }

  async close(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    const socket = this.#socket!;
    await new Promise((resolve) => {
      socket.onclose = resolve;
      socket.close();
    });
  }

  #connect(): void {
    const socket = new WebSocket(`${this.#urls[0].replace("http", "ws")}/connect?room=`, [
      "chat.batch.v1",
      `bearer.${this.#token}`,
    ]);
    this.#socket = socket;
    socket.onopen = () => this.#join();
    socket.onmessage = ({ data }) => {
      for (const frame of [JSON.parse(data)].flat()) this.#take(frame);
    };
    socket.onerror = (event) => event.preventDefault();
    socket.onclose = () => {
      this.#urls.push(this.#urls.shift()!);
      setTimeout(() => this.#connect(), 20);
    };
  }

  #join(): void {
    // The first time it asks for all that was said, so that everyone has seen the same in the end.
    const since = { epoch: this.epoch, seq: this.seen.at(-1)?.seq ?? 0 };
    this.#tell({ action: "join_room", room: "general", since });
  }

  #take(frame: ServerFrame): void {
    if (frame.action === "room_joined") {
      assert.equal(frame.epoch, this.epoch, "a crash is no other epoch");
      assert.ok(frame.recovered, "a short absence is recovered as a whole");
      for (const message of frame.messages) this.#see(message as ReceiveMessage);
      for (const id of this.#unacknowledged.keys()) this.#send(id);
      this.#fill();
    } else if (frame.action === "receive_message") {
      this.#see(frame);
    } else if (frame.action === "error") {
      const { id } = frame;
      const again = () => id === undefined ? this.#join() : this.#unacknowledged.has(id) && this.#send(id);
      const cancel = systemClock.after(REFUSED_PAUSE, () => {
        this.#cancels.delete(cancel);
        again();
      });
      this.#cancels.add(cancel);
    }
  }

  #see(message: ReceiveMessage): void {
    if (message.seq > (this.seen.at(-1)?.seq ?? 0)) this.seen.push(message);
    if (message.user !== this.user || !this.#unacknowledged.delete(message.id!)) return;
    this.acknowledged.set(message.id!, message);
    this.#fill();
  }

  #fill(): void {
    while (!this.#stopping && this.#unacknowledged.size < WINDOW && this.#sent < this.#most) {
      const id = String(++this.#sent);
      this.#unacknowledged.set(id, `${this.#name} ${id}`);
      this.#send(id);
    }
    if (this.#stopping && this.#unacknowledged.size === 0) this.#drained?.();
  }

  #send(id: string): void {
    this.#tell({ action: "send_message", room: "general", text: this.#unacknowledged.get(id), id });
  }

  #tell(frame: unknown): void {
    if (this.#socket!.readyState === WebSocket.OPEN) this.#socket!.send(JSON.stringify(frame));
  }
}

/** Everything that was said in `general`, oldest first. */
export async function wholeLog(url: string): Promise<ReceiveMessage[]> {
  const messages: ReceiveMessage[] = [];
  for (let more = true; more;) {
    const after = messages.at(-1)?.seq ?? 0;
    const page = await (await fetch(`${url}/api/rooms/general/messages?after=${after}&limit=200`)).json();
    messages.push(...page.messages);
    more = page.more;
  }
  return messages;
}

/** Has all clients drained and compares what each of them saw and had acknowledged with the log. @returns the log */
export async function assertNothingLostOrDoubled(url: string, clients: readonly RetryingClient[]) {
  await Promise.all(clients.map((client) => client.drain()));
  const log = await wholeLog(url);
  assert.deepEqual(log.map(({ seq }) => seq), log.map((_, at) => at + 1), "no gap");
  const bySeq = new Map(log.map((message) => [message.seq, message]));
  for (const client of clients) {
    for (const message of client.acknowledged.values()) assert.deepEqual(bySeq.get(message.seq), message);
    const own = log.filter(({ user }) => user === client.user).map(({ id }) => id);
    assert.equal(new Set(own).size, own.length, "nothing doubled");
    assert.deepEqual(new Set(own), new Set(client.acknowledged.keys()), "nothing lost");
  }
  // The last words of one client may reach another after it has drained.
  for (const client of clients) {
    while (client.seen.length < log.length) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(client.seen, log, "everyone saw the log as it is");
  }
  return log;
}
