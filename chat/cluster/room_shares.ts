import type { Members } from "../rooms/members.ts";
import type { PresenceChange, PresencePart, PresenceUpdate } from "../storage.ts";

/** The share of another instance in a room: the people who are connected to it there. */
interface Share {
  /** Its last change that is known here; 0: none yet. */
  version: number;
  users: Set<string>;
  /** When it last told anything about the room, by the clock's `monotonic`. */
  heardAt: number;
  /** The people of an answer whose last part has not come yet. */
  parts: { version: number; people: PresenceChange[] };
}

/** How many instances tell others how many people are in a room: one may be dying. */
const SPOKESMEN = 2;

/**
 * Who is in one room on other instances, by instance, as far as events have told; its members learn of it. Versions of
 * one instance only grow, so what is older than what is known changes nothing.
 */
export class RoomShares {
  readonly #members: Members;
  readonly #shares = new Map<string, Share>();

  constructor(members: Members) {
    this.#members = members;
  }

  /** By instance, the version that is known. */
  *versions(): Generator<[instance: string, version: number]> {
    for (const [instance, { version }] of this.#shares) yield [instance, version];
  }

  /** The version of an instance that is known; 0: none. */
  versionOf(instance: string): number {
    return this.#shares.get(instance)?.version ?? 0;
  }

  /** Those that have told nothing about the room since then, by the clock's `monotonic`. */
  *silentSince(time: number): Generator<string> {
    for (const [instance, { heardAt }] of this.#shares) if (heardAt < time) yield instance;
  }

  /** Whether this instance is one of the few that tell others how many people are in the room: the first by id do. */
  isSpokesman(own: string): boolean {
    let before = 0;
    for (const [instance, { users }] of this.#shares) if (users.size > 0 && instance < own) before++;
    return this.#members.localCount > 0 && before < SPOKESMEN;
  }

  /** @returns whether it fits to what is known; if not, something is missing */
  update(from: string, { after, version, changes }: PresenceUpdate, now: number): boolean {
    if (version === 0) {
      this.drop(from);
      return true;
    }
    const share = this.#shareOf(from, now);
    if (version <= share.version) return true;
    if (after === 0) this.#replace(share, changes, version);
    else if (after !== share.version) return false;
    else this.#apply(share, changes, version);
    return true;
  }

  /** @returns whether it fits to what is known, also while more parts are to come; if not, something is missing */
  answered(from: string, part: PresencePart, now: number): boolean {
    const { version, people, at = 0, more = false } = part;
    if (version === 0) {
      this.drop(from);
      return true;
    }
    const share = this.#shareOf(from, now);
    if (version <= share.version) return true;
    if (!people) return false;
    if (at === 0) share.parts = { version, people: [] };
    if (share.parts.version !== version || share.parts.people.length !== at) return false;
    share.parts.people.push(...people);
    if (more) return true;
    this.#replace(share, share.parts.people, version);
    return true;
  }

  /** Nobody is connected to this instance any more. */
  drop(instance: string): void {
    const share = this.#shares.get(instance);
    if (!share) return;
    this.#shares.delete(instance);
    for (const user of share.users) this.#members.leaveRemote(user);
  }

  #shareOf(instance: string, now: number): Share {
    let share = this.#shares.get(instance);
    if (!share) {
      share = { version: 0, users: new Set(), heardAt: now, parts: { version: 0, people: [] } };
      this.#shares.set(instance, share);
    }
    share.heardAt = now;
    return share;
  }

  #replace(share: Share, people: readonly PresenceChange[], version: number): void {
    const listed = new Set(people.map(([user]) => user));
    this.#apply(share, people, version);
    for (const user of share.users) if (!listed.has(user)) this.#apply(share, [[user]], version);
  }

  #apply(share: Share, changes: readonly PresenceChange[], version: number): void {
    const { users } = share;
    for (const [user, name] of changes) {
      if (name === undefined) {
        if (users.delete(user)) this.#members.leaveRemote(user);
      } else if (!users.has(user)) {
        users.add(user);
        this.#members.joinRemote({ user, name });
      } else {
        this.#members.renameRemote({ user, name });
      }
    }
    share.version = version;
    share.parts = { version: 0, people: [] };
  }
}
