import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import { ChatError, NameHeldError } from "../errors.ts";
import type { HeldName, NameHolder, NameRegistry } from "../storage.ts";
import type { Person, Subscriber } from "../subscriber.ts";
import { GivenNames } from "./given_names.ts";
import { chosenName, nameKey, numberedNames } from "./names.ts";

/** How long a name is held after its person was last seen, milliseconds. */
export const GIVEN_NAME_HOLD = 10 * 60 * 1000;
export const CHOSEN_NAME_HOLD = 7 * 24 * 60 * 60 * 1000;
/** How often the holds of connected people are renewed: twice within the shorter hold, so that one may fail. */
const HOLD_INTERVAL = GIVEN_NAME_HOLD / 2;

/** If so many come in one turn of the event loop, the next ones are gathered for so many turns: a write costs most. */
const A_RUSH = 4;
const RUSH_TURNS = 4;

/** In words for everybody, wherever they are: a client that knows where uses `held_until`. */
const DAYS = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });
const MINUTES = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: "UTC" });

/** Somebody who waits for a name. */
interface Nameless {
  user: string;
  resolve(held: HeldName): void;
  reject(reason: unknown): void;
}

/** Who is connected to this isolate, and their names. */
export class Users {
  readonly #names: NameRegistry;
  readonly #clock: Clock;
  readonly #givenNames: GivenNames;
  readonly #connected = new Map<string, Person>();
  /** What those are called who are connected. */
  readonly #namesHere = new Set<string>();
  readonly #stopHolding: () => void;
  #leaving: Person[] = [];
  /** Who waits for a name. */
  #nameless: Nameless[] = [];
  /** Whether many came at once last time. */
  #isRush = false;

  constructor(names: NameRegistry, clock: Clock, random: () => number) {
    this.#names = names;
    this.#clock = clock;
    this.#givenNames = new GivenNames(clock, random, (name) => this.#namesHere.has(name));
    this.#stopHolding = interval(clock, HOLD_INTERVAL, () => this.#hold([...this.#connected.values()]));
  }

  /**
   * The name of a user, who gets one if they have none. It is held for a while from now on.
   * @param externalName the name in their external account: they get that, with a number if somebody else has it
   * @throws {ChatError} `unavailable`
   */
  async resolveName(user: string, externalName?: string): Promise<HeldName> {
    const held = await this.#heldOrGiven(user);
    if (externalName === undefined) return held;
    // Whoever has been "Ada 2" stays that, also when the first Ada has gone.
    for (const name of numberedNames(externalName)) if (name === held.name) return held;
    for (const name of numberedNames(externalName)) {
      const claimed = await this.#claim(user, name);
      if (!("holder" in claimed)) return claimed;
    }
    return held;
  }

  /** Notes that a person is connected here with this session. */
  enter(user: string, held: HeldName, session: Subscriber): Person {
    let person = this.#connected.get(user);
    if (!person) {
      this.#connected.set(user, person = { user, ...held, sessions: new Set(), typedAt: 0 });
      this.#namesHere.add(person.name);
    }
    person.sessions.add(session);
    return person;
  }

  /** Notes that a session has ended. With the last one its person is gone, and their name is held for a while. */
  leave(session: Subscriber): void {
    const { person } = session;
    person.sessions.delete(session);
    if (person.sessions.size > 0 || this.#connected.get(person.user) !== person) return;
    this.#connected.delete(person.user);
    this.#namesHere.delete(person.name);
    // If many leave at once, as when the server stops, their names are held in one write.
    if (this.#leaving.push(person) === 1) this.#clock.soon(() => this.#holdLeaving());
  }

  /** How many people are connected here. */
  get count(): number {
    return this.#connected.size;
  }

  /** The person, if they are connected here. */
  find(user: string): Person | undefined {
    return this.#connected.get(user);
  }

  /**
   * The person, also if they are not connected here.
   * @throws {ChatError} `unavailable`
   */
  async findOrLoad(user: string, externalName?: string): Promise<Person> {
    return this.find(user) ?? { user, ...await this.resolveName(user, externalName), sessions: new Set(), typedAt: 0 };
  }

  /** Notes a person's new name, chosen on another connection or isolate. */
  renamed({ user, name }: { user: string; name: string }): void {
    const person = this.#connected.get(user);
    if (person) this.call(person, { name, chosen: true });
  }

  /** Notes what a person is called now. */
  call(person: Person, held: HeldName): void {
    this.#namesHere.delete(person.name);
    Object.assign(person, held);
    if (this.#connected.get(person.user) === person) this.#namesHere.add(person.name);
  }

  /**
   * Gives a person the name they ask for.
   * @param isHere whether somebody is connected to any isolate: until when a name is held is told only if they are not
   * @returns their name before
   * @throws {ChatError} `bad_name`, `name_taken`, `unavailable`
   */
  async rename(person: Person, asked: string, isHere: (user: string) => Promise<boolean>): Promise<string> {
    const name = chosenName(asked);
    const claimed = await this.#claim(person.user, name);
    if ("holder" in claimed) {
      if (await isHere(claimed.holder)) {
        throw new ChatError("name_taken", "Someone else has this name. Choose another one.");
      }
      const until = `${DAYS.format(claimed.until)}, ${MINUTES.format(claimed.until)} UTC`;
      const message = `This name is kept for someone else until ${until}. Choose another one.`;
      throw new NameHeldError(message, claimed.until);
    }
    const was = person.name;
    this.call(person, claimed);
    return was;
  }

  /** Stops all timers, and holds the names of those who have just left. */
  dispose(): void {
    this.#stopHolding();
    this.#holdLeaving();
  }

  /** The name that a user has, or is given now: in one write with all who arrive at the same time. */
  #heldOrGiven(user: string): Promise<HeldName> {
    return new Promise((resolve, reject) => {
      if (this.#nameless.push({ user, resolve, reject }) === 1) this.#gather(this.#isRush ? RUSH_TURNS : 1);
    });
  }

  /** Gives names after so many turns of the event loop. */
  #gather(turns: number): void {
    this.#clock.soon(() => turns > 1 ? this.#gather(turns - 1) : this.#giveNames());
  }

  async #giveNames(): Promise<void> {
    let nameless = this.#nameless;
    this.#nameless = [];
    this.#isRush = nameless.length >= A_RUSH;
    try {
      for (let round = 0; nameless.length > 0; round++) {
        const now = this.#clock.now();
        const offers = nameless.map(({ user }) => ({ user, candidates: this.#givenNames.candidates(user, round) }));
        const given = await this.#names.give(offers, now + GIVEN_NAME_HOLD, now);
        nameless = nameless.filter(({ resolve }, at) => {
          const [held, { candidates }] = [given[at], offers[at]];
          // Who had a name already got none of these.
          if (!held || candidates.some(({ name }) => name === held.name)) {
            this.#givenNames.learn(candidates, held?.name);
          }
          if (held) resolve(held);
          return !held;
        });
      }
    } catch (error) {
      for (const { reject } of nameless) reject(error);
    }
  }

  #claim(user: string, name: string): Promise<HeldName | NameHolder> {
    const now = this.#clock.now();
    return this.#names.claim({ user, name, key: nameKey(name), until: now + CHOSEN_NAME_HOLD, now });
  }

  #holdLeaving(): void {
    this.#hold(this.#leaving);
    this.#leaving = [];
  }

  #hold(people: Person[]): void {
    if (people.length === 0) return;
    const now = this.#clock.now();
    this.#names.hold(people.map((person) => ({ user: person.user, until: holdEnd(person, now) })))
      // The next interval tries again; until then the last holds are still valid.
      .catch((error) => console.error("names could not be held:", error));
  }
}

function holdEnd(held: HeldName, now: number): number {
  return now + (held.chosen ? CHOSEN_NAME_HOLD : GIVEN_NAME_HOLD);
}
