import type { Clock } from "../clock.ts";
import { type PeoplePage, peoplePage } from "../rooms/people_page.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { Answer, AnswerEvent, Question, QuestionEvent, Storage } from "../storage.ts";
import type { Users } from "../users/users.ts";
import { memberBytes, partsThatFit, textBytes } from "./event_size.ts";
import { inboxOf } from "./inbox.ts";
import type { RemotePresence } from "./remote_presence.ts";

/**
 * How long answers are waited for, milliseconds. That is the time it takes to find out that nobody is in a room, so it is
 * short; Deno KV takes 150 ms.
 */
export const ANSWER_TIMEOUT = 500;
/** How old counts may be, milliseconds: with many instances many ask for them. */
export const COUNTS_MAX_AGE = 5_000;

interface QuestionsDeps {
  storage: Pick<Storage, "publish">;
  clock: Clock;
  rooms: RoomRegistry;
  users: Users;
  presence: RemotePresence;
}

/** People in a room, and how many different ones are there in all. */
export interface CountedPage extends PeoplePage {
  count: number;
}

/**
 * What is asked about rooms that this instance does not hold, and people who are not connected to it. Nothing is kept
 * about them: those who hold the room, or the person, are asked.
 */
export class Questions {
  readonly #deps: QuestionsDeps;
  /** Take answers, by the number of the question. */
  readonly #waiting = new Map<number, (answer: Answer, from: string) => void>();
  #lastId = 0;
  #counts: { rooms: Set<string>; at: number; found: Promise<Map<string, number>> } | undefined;

  constructor(deps: QuestionsDeps) {
    this.#deps = deps;
  }

  /** How many different people are in each of these rooms, which this instance does not hold; at most so old. */
  async counts(rooms: readonly string[]): Promise<Map<string, number>> {
    const now = this.#deps.clock.monotonic();
    const known = this.#counts;
    const isFresh = known && now - known.at < COUNTS_MAX_AGE && rooms.every((room) => known.rooms.has(room));
    if (isFresh) return await known.found;
    const found = this.#askCounts(rooms);
    this.#counts = { rooms: new Set(rooms), at: now, found };
    return await found;
  }

  /** A page of the people in a room that this instance does not hold, in the order of their ids. */
  async people(room: string, after: string, limit: number): Promise<CountedPage> {
    let found: CountedPage | undefined;
    await this.#ask({ about: "people", room, after, limit }, ({ page }) => (found ??= page) !== undefined);
    return found ?? { people: [], more: false, count: 0 };
  }

  /** Whether somebody is connected to another instance. */
  async isElsewhere(user: string): Promise<boolean> {
    let isHere = false;
    await this.#ask({ about: "person", user }, (answer) => isHere ||= answer.isHere === true);
    return isHere;
  }

  /** Answers the question of another instance, if this one has something to say. */
  answer(event: QuestionEvent): void {
    const { from, id } = event;
    const answer = this.#answerTo(event);
    if (!answer) return;
    this.#deps.storage.publish({ kind: "answer", room: inboxOf(from), from: this.#deps.presence.id, id, ...answer });
  }

  /** Takes an answer; nobody may wait for it any more. */
  take({ from, id, counts, isHere, page }: AnswerEvent): void {
    this.#waiting.get(id)?.({ counts, isHere, page }, from);
  }

  async #askCounts(rooms: readonly string[]): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    const take = ({ counts = [] }: Answer) => {
      // One that has just opened the room may not know all of them yet.
      for (const [room, count] of counts) found.set(room, Math.max(count, found.get(room) ?? 0));
      return false;
    };
    await Promise.all(
      [...partsThatFit(rooms, textBytes)].map((part) => this.#ask({ about: "counts", rooms: part }, take)),
    );
    return found;
  }

  /**
   * Asks, and waits until an answer is enough, all who live have answered, or `ANSWER_TIMEOUT`.
   * @param take is given each answer @returns whether it is enough
   */
  async #ask(question: Question, take: (answer: Answer) => boolean): Promise<void> {
    const { storage, clock, presence } = this.#deps;
    const unheard = new Set(presence.others());
    if (unheard.size === 0) return;
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(ANSWER_TIMEOUT, resolve);
    this.#waiting.set(id, (answer, from) => {
      unheard.delete(from);
      if (take(answer) || unheard.size === 0) resolve();
    });
    presence.inbox.open();
    storage.publish({ kind: "question", from: presence.id, id, ...question });
    await promise;
    cancel();
    this.#waiting.delete(id);
  }

  /** What all are asked is answered by all, also with nothing: then the asker need not wait. */
  #answerTo(event: QuestionEvent): Answer | undefined {
    const { rooms, users, presence } = this.#deps;
    switch (event.about) {
      case "counts": {
        const held = event.rooms.filter((room) => presence.isSpokesman(room));
        return { counts: held.map((room) => [room, rooms.find(room)!.members.count]) };
      }
      case "person":
        return { isHere: users.find(event.user) !== undefined };
      case "people": {
        // It is asked in the room, so that those who do not hold it need not even hear of it.
        if (!presence.isSpokesman(event.room)) return undefined;
        const { members } = rooms.find(event.room)!;
        const { people, more } = peoplePage(members, event.after, event.limit);
        const [first = []] = partsThatFit(people, memberBytes);
        return { page: { people: first, more: more || first.length < people.length, count: members.count } };
      }
      default:
        event satisfies never;
    }
  }
}
