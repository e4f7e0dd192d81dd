/** What a moderator does from the page, over HTTP. The token is stored in this tab only. */
import type { ErrorCode } from "../../chat/protocol.ts";
import type { ActionError } from "../../client/outbox.ts";
import type { KeyValueStorage } from "../../client/storage.ts";

const TOKEN_KEY = "parley.moderator";

/** A banned person. Times are milliseconds since 1970. */
export interface Ban {
  user: string;
  date: number;
  until: number;
  reason: string;
  /** Whether the person's address is banned too. */
  address: boolean;
}

/** What moderators see. */
export interface Moderation {
  /** The latest first. */
  readonly bans: readonly Ban[];
  /** The names of the rooms that are listed. */
  readonly listed: readonly string[];
}

export interface RoomChange {
  locked?: boolean;
  listed?: boolean;
  slow_seconds?: number;
}

export interface ListedRoom {
  room: string;
  count: number;
  date: number;
}

/** Why a request failed; null when it succeeded. */
export type Failure = ActionError | "offline" | null;

/** One request to the server: returns the status, and the body where that is JSON. Rejects when there is no answer. */
export type CallApi = (
  method: string,
  path: string,
  options: { token?: string; body?: unknown },
) => Promise<{ status: number; body: unknown }>;

export interface ModeratorOptions {
  call: CallApi;
  storage: KeyValueStorage;
  /** Gets null when the person is not a moderator, or no longer. */
  changed: (moderation: Moderation | null) => void;
}

export type Moderator = ReturnType<typeof createModerator>;

export function createModerator({ call, storage, changed }: ModeratorOptions) {
  let token = storage.read(TOKEN_KEY);
  let moderation: Moderation = { bans: [], listed: [] };
  /** Counts what was read, because a later answer may come before an earlier one. */
  let reads = 0;

  async function request(method: string, path: string, body?: unknown): Promise<{ failure: Failure; body: unknown }> {
    try {
      const answer = await call(method, path, { token: token ?? "", body });
      if (answer.status < 300) return { failure: null, body: answer.body };
      const { code, detail } = (answer.body ?? {}) as { code?: ErrorCode; detail?: string };
      return { failure: { code: code ?? "unavailable", message: detail ?? "" }, body: null };
    } catch {
      return { failure: "offline", body: null };
    }
  }

  /** Reads what moderators see. The server answers "not found" to everyone else. */
  async function refresh(): Promise<Failure> {
    const read = ++reads;
    const [bans, rooms] = await Promise.all([request("GET", "/api/bans"), listRooms(call)]);
    if (read !== reads) return bans.failure;
    if (isMissing(bans.failure)) leave();
    if (bans.failure !== null) return bans.failure;
    update({ bans: bans.body as Ban[], listed: rooms?.map(({ room }) => room) ?? moderation.listed });
    return null;
  }

  function update(next: Moderation) {
    moderation = next;
    changed(moderation);
  }

  function leave() {
    token = null;
    storage.write(TOKEN_KEY, null);
    changed(null);
  }

  async function change(method: string, path: string, body?: unknown): Promise<Failure> {
    const { failure } = await request(method, path, body);
    return failure === null || isMissing(failure) ? await refresh() : failure;
  }

  const pathOfRoom = (room: string) => `/api/rooms/${encodeURIComponent(room)}`;
  return {
    /** Continues as a moderator after a reload. */
    async start() {
      if (token !== null) await refresh();
    },
    /** Tries a token, and stores it if the server accepts it. */
    async enter(value: string): Promise<Failure> {
      if (!/^[\x20-\x7e]+$/.test(value)) return { code: "not_found", message: "" }; // not possible in a header
      token = value;
      const failure = await refresh();
      if (failure === null) storage.write(TOKEN_KEY, value);
      else token = null;
      return failure;
    },
    leave,
    refresh,
    deleteMessage: async (room: string, seq: number): Promise<Failure> =>
      (await request("DELETE", `${pathOfRoom(room)}/messages/${seq}`)).failure,
    async changeRoom(room: string, settings: RoomChange): Promise<Failure> {
      const { failure, body } = await request("PATCH", pathOfRoom(room), settings);
      if (isMissing(failure)) return await refresh();
      if (failure !== null) return failure;
      const others = moderation.listed.filter((other) => other !== room);
      update({ ...moderation, listed: (body as { listed: boolean }).listed ? [...others, room] : others });
      return null;
    },
    ban: (ban: { user: string; minutes: number; reason: string; address: boolean }) => change("POST", "/api/bans", ban),
    unban: (user: string) => change("DELETE", `/api/bans/${encodeURIComponent(user)}`),
  };
}

/** Either the thing is already gone, or this person is not a moderator: reading the bans shows which. */
function isMissing(failure: Failure): boolean {
  return failure !== null && failure !== "offline" && failure.code === "not_found";
}

/** The rooms that are listed for everyone; null when they can't be loaded now. */
export async function listRooms(call: CallApi): Promise<readonly ListedRoom[] | null> {
  try {
    const { status, body } = await call("GET", "/api/rooms", {});
    return status === 200 ? body as ListedRoom[] : null;
  } catch {
    return null;
  }
}
