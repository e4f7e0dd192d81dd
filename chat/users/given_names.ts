import type { Clock } from "../clock.ts";
import type { NameCandidate } from "../storage.ts";
import { nameKey } from "./names.ts";

/** Digits of a given name while few people are here. */
const FEWEST_DIGITS = 3;
/** Once that share of the names with so many digits has gone, names get one digit more. */
const CROWDED = 2 / 3;
/** For how long they do, milliseconds: about as long as given names are held. Then it is found out again. */
const CROWD_MEMORY = 10 * 60 * 1000;
/** The weight of the name drawn last in what is known of that share. */
const NEWEST = 1 / 32;
/** How often a name is drawn that somebody here has, before the storage is asked all the same. */
const DRAWS = 4;

/**
 * Names of the form `User NNN`. They have three digits while most of these names are free, and then more, so that a
 * free one is found with a try or two however many people there are.
 */
export class GivenNames {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #isHere: (name: string) => boolean;
  #digits = FEWEST_DIGITS;
  /** About which share of the names with `#digits` is taken. */
  #taken = 0;
  #crowdedAt = -Infinity;

  /**
   * @param random in [0, 1)
   * @param isHere whether somebody has this name who is connected to this isolate, so that it is not worth a try
   */
  constructor(clock: Clock, random: () => number, isHere: (name: string) => boolean) {
    this.#clock = clock;
    this.#random = random;
    this.#isHere = isHere;
  }

  /**
   * Names to be tried in turn, with more digits the later they come. The first follows from the user's id, so that
   * someone who comes back to a storage that forgot them likely gets the same name.
   * @param round how often such names were all taken
   */
  candidates(user: string, round = 0): NameCandidate[] {
    if (this.#clock.monotonic() - this.#crowdedAt > CROWD_MEMORY) this.#useDigits(FEWEST_DIGITS);
    const digits = this.#digits + 3 * round;
    const drawn = [
      this.#draw(digits, numbered(digits, hashOf(user))),
      ...[digits, digits + 1, digits + 2].map((more) => this.#draw(more)),
    ];
    return drawn.map((name) => ({ name, key: nameKey(name) }));
  }

  /** Learns which of the candidates was free; none of those before it was, and if it is undefined, none at all. */
  learn(candidates: readonly NameCandidate[], given: string | undefined): void {
    for (const { name } of candidates) {
      this.#count(name, name !== given);
      if (name === given) break;
    }
  }

  #draw(digits: number, name = numbered(digits, this.#random())): string {
    for (let draws = 1; draws < DRAWS && this.#isHere(name); draws++) {
      this.#count(name, true);
      name = numbered(digits, this.#random());
    }
    return name;
  }

  #count({ length }: string, isTaken: boolean): void {
    if (length !== "User ".length + this.#digits) return;
    this.#taken += (Number(isTaken) - this.#taken) * NEWEST;
    if (this.#taken < CROWDED) return;
    this.#useDigits(this.#digits + 1);
    this.#crowdedAt = this.#clock.monotonic();
  }

  /** What is known of the share is about names with so many digits. */
  #useDigits(digits: number): void {
    if (digits === this.#digits) return;
    this.#digits = digits;
    this.#taken = 0;
  }
}

/** @param part in [0, 1): which of the names with so many digits, of at most sixteen */
function numbered(digits: number, part: number): string {
  const smallest = 10 ** (Math.min(digits, 16) - 1);
  return `User ${smallest + Math.floor(part * 9 * smallest)}`;
}

/** A number in [0, 1) that is always the same for a user. */
function hashOf(user: string): number {
  let hash = 0;
  for (let at = 0; at < user.length; at++) hash = (Math.imul(hash, 31) + user.charCodeAt(at)) >>> 0;
  // Knuth's multiplicative hashing: ids that differ in their last letter only are as far apart as any others.
  return (Math.imul(hash, 0x9e3779b1) >>> 0) / 2 ** 32;
}
