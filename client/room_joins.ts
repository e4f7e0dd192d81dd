import type { ClientFrame, ErrorFrame, RoomJoined } from "../chat/protocol.ts";
import { allRooms, type ClientState, roomOf } from "./client_state.ts";
import { type Clock, Timers } from "./clock.ts";
import { isTemporary, retryDelay } from "./outbox.ts";
import type { RoomState } from "./room/room_state.ts";

export interface RoomJoinsOptions {
  clock: Clock;
  /** From 0 up to, not including, 1. */
  random: () => number;
  newId: () => string;
  state: () => ClientState;
  send: (frame: ClientFrame) => void;
  /** Takes another state of one of the rooms. */
  changed: (room: RoomState) => void;
}

/**
 * Joins the rooms of a client: the one that is read first, then the others one after the other, because the server limits
 * how many somebody joins in a minute.
 */
export class RoomJoins {
  readonly #options: RoomJoinsOptions;
  readonly #timers: Timers<"again">;
  /** The requests that are not answered yet: room → id. */
  readonly #requests = new Map<string, string>();
  /** Those whose room was left before they were answered. */
  readonly #left = new Set<string>();
  /** The server takes no more joins for now. */
  #rests = false;

  constructor(options: RoomJoinsOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
  }

  join(name: string): void {
    const { state, newId, send } = this.#options;
    const room = roomOf(state(), name);
    if (state().status.kind !== "connected" || !room || room.problem || this.#requests.has(name)) return;
    const since = room.position ? { since: room.position } : {};
    const id = newId();
    this.#requests.set(name, id);
    send({ action: "join_room", room: name, ...since, id });
  }

  /** Joins the next of the other rooms, unless something has to come first. */
  joinNext(): void {
    const [room, ...others] = allRooms(this.#options.state());
    if (!room.joined && !room.problem || this.#requests.size > 0 || this.#rests) return;
    const next = others.find(({ joined, problem }) => !joined && !problem);
    if (next) this.join(next.name);
  }

  /**
   * Whether a `room_joined` answers a request of a room that was left meanwhile. What was missed then is nothing to a room
   * that has begun anew since.
   */
  isLate({ room: name, id, recovered }: RoomJoined): boolean {
    const room = roomOf(this.#options.state(), name);
    const isLeft = id !== undefined && this.#left.delete(id);
    return room !== undefined && (isLeft || recovered && room.position === null);
  }

  joined(name: string): void {
    this.#requests.delete(name);
    this.joinNext();
  }

  /** To be called before the room is gone from the state, and `joinNext` after it. */
  left(name: string): void {
    const request = this.#requests.get(name);
    if (request !== undefined) this.#left.add(request);
    this.#requests.delete(name);
  }

  /** @returns whether the error answers a request to join */
  failed(error: ErrorFrame): boolean {
    for (const [name, id] of this.#requests) {
      if (id !== error.id) continue;
      this.#requests.delete(name);
      this.#refused(name, error);
      return true;
    }
    return false;
  }

  disconnected(): void {
    this.#requests.clear();
    this.#left.clear();
    this.#rests = false;
  }

  #refused(name: string, error: ErrorFrame): void {
    const { state, random, changed } = this.#options;
    const room = roomOf(state(), name);
    if (!room) return;
    if (isTemporary(error)) {
      this.#rests = true;
      return this.#timers.set("again", retryDelay(error, random()), () => this.#again());
    }
    changed({ ...room, problem: { code: error.code, message: error.message } });
    this.joinNext();
  }

  #again(): void {
    this.#rests = false;
    const { room } = this.#options.state();
    if (room.joined) this.joinNext();
    else this.join(room.name);
  }
}
