import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import type { HeldName, NameRegistry } from "../storage.ts";
import { chosenName, givenNames, nameKey, numberedNames } from "./names.ts";
import { ChatError } from "../errors.ts";
import type { Person, Subscriber } from "../subscriber.ts";

/** How long a name is held after its person was last seen, milliseconds. */
export const GIVEN_NAME_HOLD = 10 * 60 * 1000;
export const CHOSEN_NAME_HOLD = 7 * 24 * 60 * 60 * 1000;
/** How often the names of those who are here are held anew: twice within the shorter hold, so that one may fail. */
export const HOLD_INTERVAL = GIVEN_NAME_HOLD / 2;

/** Who is connected to this isolate, and what they are called. */
export class Users {
  readonly #names: NameRegistry;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #here = new Map<string, Person>();
  #leaving: Person[] = [];
  #stopHolding: (() => void) | undefined;

  constructor(names: NameRegistry, clock: Clock, random: () => number) {
    this.#names = names;
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * The name of a user, who gets one if they have none. It is held for a while from now on.
   * @param called what they are called elsewhere: they get that, with a number where somebody else has it
   * @throws {ChatError} `unavailable`
   */
  async resolveName(user: string, called?: string): Promise<HeldName> {
    const held = await this.#heldName(user);
    if (called === undefined) return held;
    // Whoever has been "Ada 2" stays that, also when the first Ada has gone.
    for (const name of numberedNames(called)) if (name === held.name) return held;
    for (const name of numberedNames(called)) {
      const got = await this.#claim(user, { name, chosen: true });
      if (got) return got;
    }
    return held;
  }

  /** Notes that a person is here with this session. */
  enter(user: string, held: HeldName, session: Subscriber): Person {
    let person = this.#here.get(user);
    if (!person) this.#here.set(user, person = { user, ...held, sessions: new Set(), typedAt: 0 });
    person.sessions.add(session);
    this.#stopHolding ??= interval(this.#clock, HOLD_INTERVAL, () => this.#holdAll());
    return person;
  }

  /** Notes that a session is over; with the last one its person is gone, and their name is held for a while. */
  leave(session: Subscriber): void {
    const { person } = session;
    person.sessions.delete(session);
    if (person.sessions.size > 0 || this.#here.get(person.user) !== person) return;
    this.#here.delete(person.user);
    // Where many leave at once, as when the server stops, their names are held in one go.
    if (this.#leaving.push(person) === 1) this.#clock.soon(() => this.#holdLeaving());
  }

  get count(): number {
    return this.#here.size;
  }

  find(user: string): Person | undefined {
    return this.#here.get(user);
  }

  /**
   * The person, also one who has no connection here.
   * @throws {ChatError} `unavailable`
   */
  async findOrLoad(user: string, called?: string): Promise<Person> {
    return this.find(user) ?? { user, ...await this.resolveName(user, called), sessions: new Set(), typedAt: 0 };
  }

  /** Notes what a person is called now, having chosen it on another connection, here or elsewhere. */
  renamed({ user, name }: { user: string; name: string }): void {
    const person = this.#here.get(user);
    if (person) Object.assign(person, { name, chosen: true });
  }

  /**
   * Gives a person the name they ask for.
   * @returns what they were called before
   * @throws {ChatError} `bad_name`, `name_taken`, `unavailable`
   */
  async rename(person: Person, asked: string): Promise<string> {
    const name = chosenName(asked);
    if (!await this.#claim(person.user, { name, chosen: true })) {
      throw new ChatError("name_taken", "Someone else has this name. Choose another one.");
    }
    const was = person.name;
    person.name = name;
    person.chosen = true;
    return was;
  }

  /** Stops all that would still happen by itself. */
  dispose(): void {
    this.#stopHolding?.();
    this.#holdLeaving();
  }

  async #heldName(user: string): Promise<HeldName> {
    for (const name of givenNames(user, this.#random)) {
      const got = await this.#claim(user, { name, chosen: false });
      if (got) return got;
    }
    throw new Error("unreachable: the given names have no end");
  }

  #claim(user: string, held: HeldName): Promise<HeldName | undefined> {
    const now = this.#clock.now();
    return this.#names.claimName({ ...held, user, key: nameKey(held.name), until: until(held, now), now });
  }

  #holdAll(): void {
    if (this.#here.size > 0) return this.#hold([...this.#here.values()]);
    this.#stopHolding?.();
    this.#stopHolding = undefined;
  }

  #holdLeaving(): void {
    if (this.#leaving.length > 0) this.#hold(this.#leaving);
    this.#leaving = [];
  }

  #hold(users: Person[]): void {
    const now = this.#clock.now();
    this.#names.holdNames(users.map((person) => ({ user: person.user, until: until(person, now) })))
      // The next round tries again; until then the names are held from the last one.
      .catch((error) => console.error("names could not be held:", error));
  }
}

function until(held: HeldName, now: number): number {
  return now + (held.chosen ? CHOSEN_NAME_HOLD : GIVEN_NAME_HOLD);
}
