import type { Services } from "./services.ts";
import { roomName } from "./rooms/room_name.ts";
import { type ClientFrame, PAGE_SIZE, PAGE_SIZE_LIMIT, type ServerFrame } from "./protocol.ts";
import { ChatError } from "./errors.ts";
import { type ExternalIdentity, nameIsExternal } from "./users/session_expiry.ts";
import { keep, toCommand } from "./writing.ts";

/** What came of an errand. There is no `frame` where a connection would have got none. */
export interface CommandResult {
  frame?: ServerFrame;
  /** The id had been used before, and nothing new was made. */
  repeated?: boolean;
}

/**
 * Does one action for someone who keeps no connection to ask on. It is judged as on a connection, and answered with the
 * frame that a connection would have got; but it makes nobody a member, and nobody hears of who only looks.
 * @param who undefined for someone unknown, who may look and nothing else; `address` is the key of where they come from
 * @throws {ChatError} what a connection would have got as an error
 */
export async function executeCommand(
  services: Services,
  who: { user: string; address?: string; identity?: ExternalIdentity } | undefined,
  frame: ClientFrame,
): Promise<CommandResult> {
  switch (frame.action) {
    case "ping":
      return answer(frame, { action: "pong" });
    case "join_room":
      return answer(
        frame,
        await services.rooms.open(roomName(frame.room)).look({ ...frame, limit: pageSize(frame.limit) }),
      );
  }
  if (who === undefined) throw new ChatError("forbidden", "Say who you are. POST /api/session gives you a token.");
  const { user, address, identity } = who;
  await services.bans.admit(user, address);
  switch (frame.action) {
    case "send_message":
    case "edit_message":
    case "delete_message": {
      const room = roomName(frame.room);
      const command = toCommand(services, await services.users.findOrLoad(user, identity?.name), { ...frame, room });
      const { slow_seconds } = await services.rooms.settingsOf(room);
      const { entry, repeated } = await keep(services, command, slow_seconds);
      return { frame: entry, repeated };
    }
    case "set_name": {
      if (identity?.name !== undefined) throw nameIsExternal();
      const person = await services.users.findOrLoad(user);
      const was = await services.users.rename(person, frame.name);
      if (was !== person.name) services.cluster.broadcastName(person, was);
      return answer(frame, { action: "name_changed", user, name: person.name, was });
    }
    case "typing":
      services.cluster.execute({ asked: "typing", user, room: roomName(frame.room) });
      return {};
    case "leave_room": {
      const room = roomName(frame.room);
      services.cluster.execute({ asked: "leave", user, room, stream: frame.stream });
      return answer(frame, { action: "room_left", room });
    }
  }
}

/** How many messages a page has for who asked for so many. */
export function pageSize(limit: number = PAGE_SIZE): number {
  return Math.min(Math.max(limit, 1), PAGE_SIZE_LIMIT);
}

function answer<F extends ServerFrame & { id?: string }>({ id }: ClientFrame, frame: F): CommandResult {
  return { frame: id === undefined ? frame : { ...frame, id } };
}
