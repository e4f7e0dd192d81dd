import type { Refused } from "./entries/kind.ts";
import { type EntryFrame, kindAskedBy } from "./entries/kinds.ts";
import { ChatError } from "./errors.ts";
import { checkEmoji } from "./limits/emoji.ts";
import { checkText } from "./limits/text_length.ts";
import type { AddressUsage } from "./limits/usage.ts";
import {
  type ClientFrame,
  type Entry,
  type JoinRoom,
  type LeaveRoom,
  type Member,
  MEMBERS_LISTED,
  PAGE_SIZE,
  PAGE_SIZE_LIMIT,
  SENTENCES,
  type ServerFrame,
  type SetName,
  type StartTyping,
} from "./protocol.ts";
import type { JoinRequest } from "./rooms/pending_join.ts";
import type { Room } from "./rooms/room.ts";
import { roomName } from "./rooms/room_name.ts";
import type { Services } from "./services.ts";
import type { Command } from "./storage.ts";
import type { Person, Subscriber } from "./subscriber.ts";
import { type ExternalIdentity, nameIsExternal } from "./users/session_expiry.ts";

/** The sentence of a refusal that has no `message` of its own. */
const REFUSALS: Readonly<Record<Refused["refused"], string>> = {
  locked: SENTENCES.locked,
  forbidden: SENTENCES.notAuthor,
  not_found: SENTENCES.gone,
  too_many_reactions: "This message has enough different reactions. Choose one of those it has.",
  unavailable: "The store did not answer. Send it again, with the same id.",
};

/** Someone who asks over a connection. The connection is in rooms, and its commands are executed in order. */
export interface ConnectedCaller extends Subscriber {
  /** Its person's identity outside of Parley, if there is one. */
  readonly identity: ExternalIdentity | undefined;
  /** What its address has used up; undefined if the address is not known. */
  readonly addressUsage: AddressUsage | undefined;
  /** Counts a join that another action brings with it. @throws {ChatError} `rate_limited` */
  countJoin(): void;
  /** Joins a room, and leaves it again if the connection ends meanwhile. @throws {ChatError} `unavailable` */
  join(room: Room, request: JoinRequest): Promise<void>;
  /** Waits for a commit beside its other commands: what its client sends next may be stored together with this one. */
  track(commit: Promise<Committed>, frame: EntryFrame): void;
  /** Resolves when nothing of its own is being stored any more. */
  committed(): Promise<unknown>;
}

/** Someone who asks in a request. Nobody becomes a member by that, and nobody is told of someone who only reads. */
interface Requester {
  /** Absent: nobody knows who it is. */
  readonly user?: string;
  /** The key of the address from which they come. */
  readonly address?: string;
  readonly identity?: ExternalIdentity;
}

type Caller = ConnectedCaller | Requester;

/** The result of a command. */
export interface CommandResult {
  /** Absent: there is nothing to answer, or the room sends it. */
  frame?: ServerFrame;
  /** The id had been used before, and nothing new was stored. */
  repeated?: boolean;
}

/** What is stored and sent to members. `repeated`: the id had been used, and this is its first entry. */
export interface Committed {
  /** Absent: it was so already. */
  entry?: Entry;
  repeated: boolean;
  /** For the asker alone. */
  answer?: ServerFrame;
}

/**
 * Executes a command of someone without a connection. Bans are checked here, except for who only reads.
 * @returns the frame that a connection would have got
 * @throws {ChatError} what a connection would have got as an error
 */
export async function executeRequest(
  services: Services,
  requester: Requester,
  frame: ClientFrame,
): Promise<CommandResult> {
  const onlyReads = frame.action === "ping" || frame.action === "join_room";
  if (!onlyReads) await services.bans.admit(userOf(requester), requester.address);
  return await executeCommand(services, requester, frame);
}

/**
 * Executes one command, from any transport. Bans and rate limits have been checked.
 * @throws {ChatError} why it was refused
 */
export async function executeCommand(services: Services, caller: Caller, frame: ClientFrame): Promise<CommandResult> {
  switch (frame.action) {
    case "join_room":
      return await joinRoom(services, caller, frame);
    case "leave_room":
      return await leaveRoom(services, caller, frame);
    case "set_name":
      return await setName(services, caller, frame);
    case "typing":
      return type(services, caller, frame);
    case "ping":
      return answer(frame, { action: "pong" });
    default:
      return await write(services, caller, frame);
  }
}

/** Stores an entry of any kind. A connection that is not in the room joins it first. */
async function write(services: Services, caller: Caller, asked: EntryFrame): Promise<CommandResult> {
  const frame = { ...asked, room: roomName(asked.room) };
  if (!isConnected(caller)) {
    const command = toCommand(services, await personOf(services, caller), frame);
    const { slow_seconds } = await services.rooms.settingsOf(frame.room);
    const { entry, repeated, answer: own } = await commit(services, command, slow_seconds);
    return { ...own ? answer(frame, own) : { frame: entry }, repeated };
  }
  const command = toCommand(services, caller.person, frame);
  if (!caller.rooms.has(frame.room)) {
    caller.countJoin();
    await join(services, caller, frame.room, {});
  }
  // Undefined if the connection ended while it joined.
  const room = joinedRoom(services, caller, frame.room);
  if (room) caller.track(commit(services, command, room.settings.slow_seconds), frame);
  return {};
}

/**
 * The command that a frame asks for. Its text and its emoji are checked here, before anything else is done.
 * @throws {ChatError} `text_empty`, `text_too_long`, `bad_emoji`
 */
function toCommand({ limits }: Services, { user, name }: Member, frame: EntryFrame): Command {
  if ("text" in frame) checkText(frame.text, limits.text);
  if ("emoji" in frame) checkEmoji(frame.emoji);
  const command: Command = { ...frame, user, from: name };
  if (kindAskedBy(frame)?.merge) delete command.id;
  return command;
}

/**
 * Stores an entry. When this resolves, members have been sent it.
 * @param slowSeconds the room's least time between two messages of one person
 * @throws {ChatError} `forbidden`, `not_found`, `rate_limited`, `unavailable`
 */
async function commit(services: Services, command: Command, slowSeconds: number): Promise<Committed> {
  const isSlow = slowSeconds > 0 && kindAskedBy(command)?.begin !== undefined;
  const result = await (isSlow ? services.slowMode.append(command, slowSeconds) : services.pipeline.append(command));
  if ("entry" in result || result.refused === undefined) {
    const own = kindAskedBy(command)?.answer?.(command as never);
    return { repeated: false, ...result, ...(own && { answer: own }) };
  }
  const { refused, message = REFUSALS[refused] } = result;
  if (refused !== "locked") throw new ChatError(refused, message);
  // The members here may not know of the lock yet.
  const room = services.rooms.find(command.room);
  if (room?.settings.locked === false) room.refreshSettings();
  throw new ChatError("forbidden", message);
}

/** A connection joins. A request is answered with what someone who joined now would see. */
async function joinRoom(services: Services, caller: Caller, frame: JoinRoom): Promise<CommandResult> {
  const name = roomName(frame.room);
  const { since, id } = frame;
  const limit = pageSize(frame.limit);
  if (!isConnected(caller)) {
    const [joined, { people, count }] = await Promise.all([
      services.rooms.open(name).preview({ since, limit }, caller.user),
      // A room in which nobody is here does not know who is elsewhere.
      services.cluster.peopleIn(name, "", MEMBERS_LISTED),
    ]);
    return answer(frame, joined.count >= count ? joined : { ...joined, members: people, count });
  }
  await join(services, caller, name, { since, limit, id });
  return {};
}

async function join(services: Services, caller: ConnectedCaller, name: string, request: JoinRequest): Promise<void> {
  const room = services.rooms.open(name, caller.addressUsage);
  const { limits } = services;
  if (!caller.rooms.has(name) && caller.rooms.size >= limits.rooms) {
    room.forgetIfEmpty();
    throw new ChatError("too_many_rooms", `A connection is in at most ${limits.rooms} rooms. Leave one first.`);
  }
  await caller.join(room, request);
}

/** A connection leaves. A request makes its person's event streams leave, on any isolate. */
async function leaveRoom(services: Services, caller: Caller, frame: LeaveRoom): Promise<CommandResult> {
  const room = roomName(frame.room);
  if (isConnected(caller)) {
    // What it sent and is still being stored comes back first: that copy is the acknowledgement.
    await caller.committed();
    joinedRoom(services, caller, room)?.leave(caller, false);
  } else {
    services.cluster.execute({ asked: "leave", user: userOf(caller), room, stream: frame.stream });
  }
  return answer(frame, { action: "room_left", room });
}

async function setName(services: Services, caller: Caller, frame: SetName): Promise<CommandResult> {
  if (caller.identity?.name !== undefined) throw nameIsExternal();
  const person = await personOf(services, caller);
  const was = await services.users.rename(person, frame.name, (user) => services.cluster.isHere(user));
  const { user, name } = person;
  if (was !== name) services.cluster.broadcastName(person, was, isConnected(caller) ? caller : undefined);
  return answer(frame, { action: "name_changed", user, name, was });
}

/**
 * A connection types where it is a member. A request makes its person type, on any isolate where they are connected.
 */
function type(services: Services, caller: Caller, frame: StartTyping): CommandResult {
  const name = roomName(frame.room);
  if (isConnected(caller)) {
    const room = joinedRoom(services, caller, name);
    if (!room) throw new ChatError("forbidden", "You are not in this room. Join it first.");
    services.cluster.broadcastTyping(room, caller.person);
  } else {
    services.cluster.execute({ asked: "typing", user: userOf(caller), room: name });
  }
  return {};
}

function isConnected(caller: Caller): caller is ConnectedCaller {
  return "connection" in caller;
}

/** The room of this (normalised) name, if the connection is in it. */
function joinedRoom(services: Services, caller: ConnectedCaller, name: string): Room | undefined {
  return caller.rooms.has(name) ? services.rooms.find(name) : undefined;
}

async function personOf(services: Services, caller: Caller): Promise<Person> {
  return isConnected(caller) ? caller.person : await services.users.findOrLoad(userOf(caller), caller.identity?.name);
}

/** @throws {ChatError} `forbidden` if nobody knows who asks */
function userOf({ user }: Requester): string {
  if (user !== undefined) return user;
  throw new ChatError("forbidden", "Say who you are. POST /api/session gives you a token.");
}

/** How many messages a page has at most. @param limit how many were asked for */
export function pageSize(limit: number = PAGE_SIZE): number {
  return Math.min(Math.max(limit, 1), PAGE_SIZE_LIMIT);
}

function answer<F extends ServerFrame & { id?: string }>({ id }: ClientFrame, frame: F): CommandResult {
  return { frame: id === undefined ? frame : { ...frame, id } };
}
