import { type EntryFrame, kindAskedBy } from "./entries/kinds.ts";
import { ChatError } from "./errors.ts";
import { checkText } from "./limits/text_length.ts";
import type { AddressUsage } from "./limits/usage.ts";
import {
  type ClientFrame,
  type Entry,
  type JoinRoom,
  type LeaveRoom,
  type Member,
  PAGE_SIZE,
  PAGE_SIZE_LIMIT,
  type ServerFrame,
  type SetName,
  type StartTyping,
} from "./protocol.ts";
import type { JoinRequest, Room } from "./rooms/room.ts";
import { roomName } from "./rooms/room_name.ts";
import { REFUSALS } from "./rulebook.ts";
import type { Services } from "./services.ts";
import type { Command } from "./storage.ts";
import type { Person, Subscriber } from "./subscriber.ts";
import { type ExternalIdentity, nameIsExternal } from "./users/session_expiry.ts";

/** Someone who asks over a connection, which is a member of rooms and has what it asks executed in order. */
export interface ConnectedCaller extends Subscriber {
  /** Where its person has an account elsewhere. */
  readonly identity: ExternalIdentity | undefined;
  /** What its address has used up, where there is one. */
  readonly addressUsage: AddressUsage | undefined;
  /** Counts a join that another action brings with it. @throws {ChatError} `rate_limited` */
  countJoin(): void;
  /** Joins a room; if the connection ends on the way, it leaves again. @throws {ChatError} `unavailable` */
  join(room: Room, request: JoinRequest): Promise<void>;
  /** Waits for a commit beside its other commands: what its client sends next may be stored together with this one. */
  track(commit: Promise<Committed>, command: Command): void;
  /** Resolves when nothing of its own is being stored any more. */
  committed(): Promise<unknown>;
}

/** Someone who asks in a request of its own: it makes nobody a member, and nobody is told of who only reads. */
interface Requester {
  /** Absent: someone unknown. */
  readonly user?: string;
  /** The key of the address from which they come. */
  readonly address?: string;
  readonly identity?: ExternalIdentity;
}

type Caller = ConnectedCaller | Requester;

/** The result of a command. Without a `frame` there is nothing to answer, or the room tells it. */
export interface CommandResult {
  frame?: ServerFrame;
  /** The id had been used before, and nothing new was made. */
  repeated?: boolean;
}

/** An entry that is stored and told. `repeated`: the id had been used, and this is the first one's entry. */
export interface Committed {
  entry: Entry;
  repeated: boolean;
}

/**
 * Executes what someone without a connection asks, who may have to come in first: only reading is open to everyone.
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
 * Executes one action, through whatever door it was asked for. Whoever asks has been let in and counted.
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

/** Has an entry stored, of whatever kind. Over a connection that is not in the room, it joins first. */
async function write(services: Services, caller: Caller, asked: EntryFrame): Promise<CommandResult> {
  const frame = { ...asked, room: roomName(asked.room) };
  if (!isConnected(caller)) {
    const command = toCommand(services, await personOf(services, caller), frame);
    const { slow_seconds } = await services.rooms.settingsOf(frame.room);
    const { entry, repeated } = await commit(services, command, slow_seconds);
    return { frame: entry, repeated };
  }
  const command = toCommand(services, caller.person, frame);
  if (!caller.rooms.has(frame.room)) {
    caller.countJoin();
    await join(services, caller, frame.room, {});
  }
  // None where the connection has ended on the way in.
  const room = joinedRoom(services, caller, frame.room);
  if (room) caller.track(commit(services, command, room.settings.slow_seconds), command);
  return {};
}

/**
 * What a frame asks to be stored, checked before anything is done about it.
 * @throws {ChatError} `text_empty`, `text_too_long`
 */
function toCommand({ limits }: Services, { user, name }: Member, frame: EntryFrame): Command {
  if ("text" in frame) checkText(frame.text, limits.text);
  return { ...frame, user, from: name };
}

/**
 * Stores an entry. Members have been told of it when this resolves.
 * @param slowSeconds the room's least time between two messages of one person
 * @throws {ChatError} `forbidden`, `not_found`, `rate_limited`, `unavailable`
 */
async function commit(services: Services, command: Command, slowSeconds: number): Promise<Committed> {
  const isSlow = slowSeconds > 0 && kindAskedBy(command)?.begin !== undefined;
  const result = await (isSlow ? services.slowMode.append(command, slowSeconds) : services.pipeline.append(command));
  if ("entry" in result) return result;
  const { refused, message = REFUSALS[refused] } = result;
  if (refused !== "locked") throw new ChatError(refused, message);
  // The members here may not have heard of it.
  const room = services.rooms.find(command.room);
  if (room?.settings.locked === false) room.refreshSettings();
  throw new ChatError("forbidden", message);
}

/** Over a connection it joins; in a request it shows what someone who joined now would see. */
async function joinRoom(services: Services, caller: Caller, frame: JoinRoom): Promise<CommandResult> {
  const name = roomName(frame.room);
  const { since, id } = frame;
  const limit = pageSize(frame.limit);
  if (!isConnected(caller)) return answer(frame, await services.rooms.open(name).preview({ since, limit }));
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

/** A connection leaves for itself; in a request its person's event streams leave, wherever they are. */
async function leaveRoom(services: Services, caller: Caller, frame: LeaveRoom): Promise<CommandResult> {
  const room = roomName(frame.room);
  if (isConnected(caller)) {
    // Own words that are still being stored come back first: their copy is the acknowledgement.
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
  const was = await services.users.rename(person, frame.name);
  const { user, name } = person;
  if (was !== name) services.cluster.broadcastName(person, was, isConnected(caller) ? caller : undefined);
  return answer(frame, { action: "name_changed", user, name, was });
}

/** A connection types where it is a member; in a request its person types wherever they have a connection. */
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

/** @throws {ChatError} `forbidden` to someone unknown */
function userOf({ user }: Requester): string {
  if (user !== undefined) return user;
  throw new ChatError("forbidden", "Say who you are. POST /api/session gives you a token.");
}

/** How many messages a page has for who asked for so many. */
export function pageSize(limit: number = PAGE_SIZE): number {
  return Math.min(Math.max(limit, 1), PAGE_SIZE_LIMIT);
}

function answer<F extends ServerFrame & { id?: string }>({ id }: ClientFrame, frame: F): CommandResult {
  return { frame: id === undefined ? frame : { ...frame, id } };
}
