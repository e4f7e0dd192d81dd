import { withTimeout } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import { ChatError } from "../../chat/errors.ts";
import { HOW_TO_MIGRATE } from "../shared/migrate.ts";
import { newSecret } from "../shared/secret.ts";
import { FUNCTIONS, LIBRARY } from "./functions/library.ts";
import type { RedisNotifications } from "./notifications.ts";
import { createClient } from "./package.ts";
import type { ChannelLink } from "./room_channels.ts";
import { checkServer, whyNot } from "./server_check.ts";

/** A command without an answer is given up after this time, milliseconds; Redis may do it later all the same. */
export const COMMAND_DEADLINE = 3_000;
/** A connection on which a command had no answer for this time is given up, milliseconds. */
const CONNECTION_DEADLINE = 6_000;
/** How long closing waits for answers that are on their way, milliseconds. */
const CLOSE_TIMEOUT = 1_000;
/** Pauses between two tries to connect, milliseconds, each drawn from half of it to one and a half. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;
/** Channels of rooms in one command: half a millisecond of Redis, in which nobody else is answered. */
const CHANNELS_A_COMMAND = 1_000;
/** How many commands may wait for an answer. More are refused, so that a slow store never fills the memory. */
const QUEUE_LIMIT = 10_000;

export interface RedisPlace {
  /** `redis:` or `rediss:`, with user and password where Redis asks for them. */
  url: string;
  /** Before every key, so that several can share a database. */
  prefix: string;
  /** Whether `appendfsync everysec` is all right. */
  mayLoseASecond: boolean;
}

/** The tag of keys that belong to no room. */
export const ALL = ".all";
/** The tag of keys of names. */
export const NAMES = ".names";

/** A room's name, `ALL` or `NAMES`: a function's keys begin with the prefix and this. See `functions/library.ts`. */
type Tags = string | readonly string[];
type Args = readonly (string | number)[];
type Client = ReturnType<typeof newClient>;

/**
 * One connection to Redis for commands and for what is published, so that both come in the order in which Redis did
 * them. When it is lost, it connects again, for as long as that takes.
 */
export class RedisConnection {
  readonly #place: RedisPlace;
  readonly #clock: Clock;
  readonly #notifications: RedisNotifications;
  /** The secret that Redis keeps: made by the first process that connects. */
  #secret = newSecret();
  #warnings: readonly string[] = [];
  #client: Client | undefined;
  /** A connection that is being made. */
  #candidate: Client | undefined;
  /** Commands that were given up and not answered yet: as long as there are any, Redis has stalled. */
  #overdue = 0;
  readonly #pending = new Set<Promise<unknown>>();
  #isClosed = false;
  #cancelConnect: (() => void) | undefined;
  #connecting: Promise<void> | undefined;

  private constructor(place: RedisPlace, clock: Clock, notifications: RedisNotifications) {
    this.#place = place;
    this.#clock = clock;
    this.#notifications = notifications;
  }

  /**
   * Connects, and makes the epoch and the secret where there are none.
   * @param notifications is given what the channels bring, and told of each new connection
   * @throws {Error} one sentence that says why Redis can't be used
   */
  static async open(place: RedisPlace, clock: Clock, notifications: RedisNotifications): Promise<RedisConnection> {
    const connection = new RedisConnection(place, clock, notifications);
    try {
      await connection.#connect();
      return connection;
    } catch (error) {
      throw new Error(connection.#whyNot(error));
    }
  }

  /** What the operator should know about this Redis, a sentence each. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** The key that signs tokens where the settings name none. */
  get secret(): string {
    return this.#secret;
  }

  /**
   * Calls a function of our library. `take` is given the reply as soon as it comes, also after this has thrown.
   * @throws {ChatError} `unavailable`: Redis may or may not have done it
   */
  async call<Reply, Result = Reply>(
    name: string,
    tags: Tags,
    args: Args = [],
    take: (reply: Reply) => Result = (reply) => reply as unknown as Result,
  ): Promise<Result> {
    const client = this.#client;
    if (!client || this.#overdue > 0) throw unavailable();
    this.#notifications.channels.flush();
    const answer = this.#send<Reply>(client, name, tags, args).then(take);
    this.#pending.add(answer);
    try {
      return await this.#inTime(answer, client);
    } catch (error) {
      if (error instanceof ChatError) throw error;
      const { message } = error as Error;
      if (message.startsWith("READONLY")) this.#lose(client, message);
      else if (this.#client === client) console.error(`Redis refused ${name}:`, message);
      throw unavailable();
    } finally {
      this.#pending.delete(answer);
    }
  }

  /**
   * Publishes a pulse, which this process receives too, and reads the epoch.
   * @returns the epoch of rooms that have none of their own
   * @throws {ChatError} `unavailable`, also where Redis answers and can't be written
   */
  async pulse(): Promise<string> {
    const { channel, origin } = this.#notifications;
    const args = [channel, origin, crypto.randomUUID(), this.#secret];
    await this.call("pulse", ALL, args, (epoch: string) => this.#notifications.learn(epoch));
    return this.#notifications.epoch;
  }

  /**
   * Publishes, unless Redis is out of reach or stalled.
   * @param room for those who have subscribed to this room; absent: for all
   */
  publish(message: string, room?: string): void {
    if (this.#overdue > 0 || !this.#client) return;
    const { channel, channels } = this.#notifications;
    channels.flush();
    const command = room === undefined ? ["PUBLISH", channel, message] : ["SPUBLISH", channels.of(room), message];
    const published = this.#client.sendCommand(command)
      .catch(() => {/* an event may get lost */})
      .finally(() => this.#pending.delete(published));
    this.#pending.add(published);
  }

  /** Waits for answers, at most `CLOSE_TIMEOUT`, and closes the connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelConnect?.();
    await withTimeout(this.#clock, CLOSE_TIMEOUT, Promise.allSettled(this.#pending), () => []);
    const client = this.#client;
    this.#client = undefined;
    for (const each of [client, this.#candidate]) if (each?.isOpen) each.destroy();
    await this.#connecting;
  }

  async #connect(): Promise<void> {
    const client = newClient(this.#place);
    this.#candidate = client;
    let reason: Error | undefined;
    client.on("error", (error: Error) => {
      reason ??= error;
      if (this.#client === client) this.#lose(client, error.message);
    });
    let epoch: string;
    try {
      // A server that has stalled takes connections and then says nothing.
      epoch = await withTimeout(this.#clock, COMMAND_DEADLINE, this.#begin(client), () => {
        throw new Error();
      });
      if (reason || this.#isClosed) throw reason;
    } catch (error) {
      if (client.isOpen) client.destroy();
      throw reason ?? error;
    } finally {
      this.#candidate = undefined;
    }
    this.#client = client;
    // Before the logs are read again.
    this.#notifications.channels.attach(this.#linkOf(client), this.#notifications.subscribers.rooms());
    this.#notifications.begin(epoch);
  }

  /** Prepares a connection that nobody uses yet. @returns the epoch of rooms that have none of their own */
  async #begin(client: Client): Promise<string> {
    await client.connect();
    const server = await checkServer((...command) => client.sendCommand(command), this.#place.mayLoseASecond);
    // A chat of an older layout has the first of these keys, and the second only when all of it has been migrated.
    const epochs = await Promise.all(
      ["epoch", `{${ALL}}:epoch`].map((key) => client.sendCommand(["EXISTS", `${this.#place.prefix}:${key}`])),
    );
    if (Number(epochs[0]) > 0 && Number(epochs[1]) === 0) {
      throw new Error(`the chat there was written by an older Parley. ${HOW_TO_MIGRATE}`);
    }
    await loadFunctions(client);
    await client.subscribe(this.#notifications.channel, this.#hear);
    // Throws where the user may not publish in rooms: the functions would go on without, and nobody would hear of it.
    await client.sendCommand(["SPUBLISH", this.#notifications.channels.of(ALL), ""]);
    const args = [server.run, crypto.randomUUID(), server.isDurable ? 0 : 1, this.#secret];
    const [epoch, secret] = await this.#send<[string, string]>(client, "begin", ALL, args);
    this.#secret = secret;
    this.#warnings = server.warnings;
    return epoch;
  }

  readonly #hear = (message: string): void => {
    try {
      this.#notifications.hear(message);
    } catch (error) {
      console.error("what Redis told could not be understood:", error);
    }
  };

  /** The client sends what it is asked for in the order of the calls, whether it is about channels or not. */
  #linkOf(client: Client): ChannelLink {
    const inParts = (channels: string[], send: (part: string[]) => Promise<unknown>) => {
      const answers: Promise<unknown>[] = [];
      for (let from = 0; from < channels.length; from += CHANNELS_A_COMMAND) {
        const answer = send(channels.slice(from, from + CHANNELS_A_COMMAND)).catch((error: Error) => {
          // What is missed that way is found, and this is tried again.
          if (this.#client === client) console.error("Redis refused what is published in rooms:", error.message);
        });
        answers.push(answer);
      }
      return Promise.all(answers);
    };
    return {
      subscribe: (channels) => inParts(channels, (part) => client.sSubscribe(part, this.#hear)),
      unsubscribe: (channels) => inParts(channels, (part) => client.sUnsubscribe(part, this.#hear)),
    };
  }

  async #send<Reply>(client: Client, name: string, tags: Tags, args: Args): Promise<Reply> {
    const keys = [tags].flat().map((tag) => `${this.#place.prefix}:{${tag}}`);
    const command = ["FCALL", `${LIBRARY}_${name}`, keys.length, ...keys, ...args].map(String);
    try {
      return await client.sendCommand(command) as Reply;
    } catch (error) {
      if (!(error as Error).message.includes("Function not found")) throw error;
      // Somebody has flushed the functions. Nothing was done.
      await loadFunctions(client);
      return await client.sendCommand(command) as Reply;
    }
  }

  #inTime<Result>(answer: Promise<Result>, client: Client): Promise<Result> {
    return withTimeout(this.#clock, COMMAND_DEADLINE, answer, () => {
      this.#overdue++;
      const rest = CONNECTION_DEADLINE - COMMAND_DEADLINE;
      const giveUp = this.#clock.after(rest, () => this.#lose(client, "no answer"));
      answer.catch(() => {/* nobody waits for it */}).finally(() => {
        this.#overdue--;
        giveUp();
      });
      throw unavailable();
    });
  }

  #lose(client: Client, why: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#notifications.channels.detach();
    if (client.isOpen) client.destroy();
    if (this.#isClosed) return;
    console.error(`Redis is out of reach (${why}). Parley tries to connect again.`);
    this.#connectLater(FIRST_PAUSE);
  }

  /** @param told why the last try failed: it is told again only when it changes */
  #connectLater(pause: number, told?: string): void {
    this.#cancelConnect = this.#clock.after(pause * (0.5 + Math.random()), () => {
      this.#connecting = this.#connect().then(
        () => console.error("Redis is back."),
        (error) => {
          if (this.#isClosed) return;
          const why = this.#whyNot(error);
          if (why !== told) console.error(why);
          this.#connectLater(Math.min(2 * pause, LONGEST_PAUSE), why);
        },
      ).then(() => this.#connecting = undefined);
    });
  }

  #whyNot(error: unknown): string {
    return whyNot(error, new URL(this.#place.url).host);
  }
}

function newClient({ url }: RedisPlace) {
  return createClient({
    url,
    name: "parley",
    // Only in this version of its protocol one connection brings both answers and what is published.
    RESP: 3,
    socket: { connectTimeout: COMMAND_DEADLINE, reconnectStrategy: false },
    disableOfflineQueue: true,
    // The deadlines here are enough; its own makes a timer for each command.
    commandOptions: { timeout: undefined },
    commandsQueueMaxLength: QUEUE_LIMIT,
    maintNotifications: "disabled",
  });
}

async function loadFunctions(client: Client): Promise<void> {
  try {
    await client.sendCommand(["FUNCTION", "LOAD", FUNCTIONS]);
  } catch (error) {
    if (!(error as Error).message.includes("already exists")) throw error;
  }
}

function unavailable(): ChatError {
  return new ChatError("unavailable", "The store does not answer now. Send it again, with the same id.", 2);
}
