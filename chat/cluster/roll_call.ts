import type { RoomRegistry } from "../rooms/registry.ts";
import type { PresenceChange, PresencePart } from "../storage.ts";
import { changeBytes, partsThatFit, textBytes } from "./event_size.ts";
import { inboxOf } from "./inbox.ts";
import type { OwnShares } from "./own_shares.ts";

/** If more than this ask about one room at the same time, they get one answer, which all in the room hear. */
const ASKERS_ANSWERED_ALONE = 3;

/**
 * Who has asked who is here, and what they are answered: together, so that a question costs few events. An asker who
 * asks about a thousand rooms gets a few events with all of them, a thousand who ask about one room get the same one.
 */
export class RollCall {
  readonly #rooms: RoomRegistry;
  readonly #own: OwnShares;
  /** By room, the askers, and the version that each of them knows. */
  #askers = new Map<string, Map<string, number | undefined>>();

  constructor(rooms: RoomRegistry, own: OwnShares) {
    this.#rooms = rooms;
    this.#own = own;
  }

  /** @param known the version of this instance's share in the room that the asker knows */
  asked(room: string, asker: string, known: number | undefined): void {
    let askers = this.#askers.get(room);
    if (!askers) this.#askers.set(room, askers = new Map());
    askers.set(asker, known);
  }

  /**
   * Takes the answers to all who have asked, each list for one event.
   * @returns `to` is the room in which it is to be published: an asker's inbox, or the room that it is about
   */
  *take(): Generator<{ to: string; parts: PresencePart[] }> {
    const answers = new Map<string, PresencePart[]>();
    const add = (to: string, parts: readonly PresencePart[]) => {
      const own = answers.get(to);
      if (own) own.push(...parts);
      else answers.set(to, [...parts]);
    };
    for (const [room, askers] of this.#askers) {
      const version = this.#own.versionOf(room);
      const same = [{ room, version }];
      let everyone: PresencePart[] | undefined;
      const answerTo = (knows: boolean) =>
        knows || version === 0 ? same : everyone ??= [...peopleParts(this.#rooms, room, version)];
      if (askers.size > ASKERS_ANSWERED_ALONE) add(room, answerTo(askers.values().every((known) => known === version)));
      else for (const [asker, known] of askers) add(inboxOf(asker), answerTo(known === version));
    }
    this.#askers = new Map();
    for (const [to, all] of answers) {
      for (const parts of partsThatFit(all, partBytes)) yield { to, parts };
    }
  }
}

/** The people here in a room, in parts of which each fits into one event. */
function* peopleParts(rooms: RoomRegistry, room: string, version: number): Generator<PresencePart> {
  const members = rooms.find(room)?.members.localMembers() ?? [];
  let at = 0;
  let part: PresencePart | undefined;
  for (const people of partsThatFit(members.map(({ user, name }): PresenceChange => [user, name]), changeBytes)) {
    if (part) yield { ...part, more: true };
    part = { room, version, people, at };
    at += people.length;
  }
  if (part) yield part;
}

function partBytes({ room, people = [] }: PresencePart): number {
  return people.reduce((bytes, change) => bytes + changeBytes(change), textBytes(room) + 80);
}
