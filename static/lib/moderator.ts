/** What whoever has the moderators' token does from the page, over HTTP. The token is this tab's alone. */
import type { ErrorCode } from "../../chat/protocol.ts";
import type { KeyValueStorage } from "../../client/storage.ts";
import type { ActionError } from "../../client/outbox.ts";

const TOKEN_KEY = "parley.moderator";

/** Someone who may not be here. Times are milliseconds since 1970. */
export interface Ban {
  user: string;
  date: number;
  until: number;
  reason: string;
  /** Whether their address is banned too. */
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

/** Null: it is done. */
export type Failure = ActionError | "offline" | null;

/** One call of the server: its status, and its body where that is JSON. Rejects where there is no answer. */
export type CallApi = (
  method: string,
  path: string,
  options: { token?: string; body?: unknown },
) => Promise<{ status: number; body: unknown }>;

export interface ModeratorOptions {
  call: CallApi;
  storage: KeyValueStorage;
  /** Null: the person is no moderator (any more). */
  changed: (moderation: Moderation | null) => void;
}

export type Moderator = ReturnType<typeof createModerator>;

export function createModerator({ call, storage, changed }: ModeratorOptions) {
  let token = storage.read(TOKEN_KEY);
  let known: Moderation = { bans: [], listed: [] };

  async function ask(method: string, path: string, body?: unknown): Promise<{ failure: Failure; body: unknown }> {
    try {
      const answer = await call(method, path, { token: token ?? "", body });
      if (answer.status < 300) return { failure: null, body: answer.body };
      const { code, detail } = (answer.body ?? {}) as { code?: ErrorCode; detail?: string };
      return { failure: { code: code ?? "unavailable", message: detail ?? "" }, body: null };
    } catch {
      return { failure: "offline", body: null };
    }
  }

  /** Reads what moderators see; the server says "not found" to whoever is none. */
  async function refresh(): Promise<Failure> {
    const [bans, rooms] = await Promise.all([ask("GET", "/api/bans"), listRooms(call)]);
    if (isMissing(bans.failure)) leave();
    if (bans.failure !== null) return bans.failure;
    tell({ bans: bans.body as Ban[], listed: rooms?.map(({ room }) => room) ?? known.listed });
    return null;
  }

  function tell(moderation: Moderation) {
    known = moderation;
    changed(known);
  }

  function leave() {
    token = null;
    storage.write(TOKEN_KEY, null);
    changed(null);
  }

  async function change(method: string, path: string, body?: unknown): Promise<Failure> {
    const { failure } = await ask(method, path, body);
    return failure === null || isMissing(failure) ? await refresh() : failure;
  }

  const pathOfRoom = (room: string) => `/api/rooms/${encodeURIComponent(room)}`;
  return {
    /** Goes on as a moderator where this tab was one before a reload. */
    async start() {
      if (token !== null) await refresh();
    },
    /** Tries a token; it is kept if the server takes it. */
    async enter(value: string): Promise<Failure> {
      if (!/^[\x20-\x7e]+$/.test(value)) return { code: "not_found", message: "" }; // no header can carry it
      token = value;
      const failure = await refresh();
      if (failure === null) storage.write(TOKEN_KEY, value);
      else token = null;
      return failure;
    },
    leave,
    refresh,
    deleteMessage: async (room: string, seq: number): Promise<Failure> =>
      (await ask("DELETE", `${pathOfRoom(room)}/messages/${seq}`)).failure,
    async changeRoom(room: string, settings: RoomChange): Promise<Failure> {
      const { failure, body } = await ask("PATCH", pathOfRoom(room), settings);
      if (isMissing(failure)) return await refresh();
      if (failure !== null) return failure;
      const others = known.listed.filter((other) => other !== room);
      tell({ ...known, listed: (body as { listed: boolean }).listed ? [...others, room] : others });
      return null;
    },
    ban: (ban: { user: string; minutes: number; reason: string; address: boolean }) => change("POST", "/api/bans", ban),
    unban: (user: string) => change("DELETE", `/api/bans/${encodeURIComponent(user)}`),
  };
}

/** What is not there is either gone already or hidden from who is no moderator: reading the bans tells which. */
function isMissing(failure: Failure): boolean {
  return failure !== null && failure !== "offline" && failure.code === "not_found";
}

/** The rooms that anyone may know of; null where they can't be had now. */
export async function listRooms(call: CallApi): Promise<readonly ListedRoom[] | null> {
  try {
    const { status, body } = await call("GET", "/api/rooms", {});
    return status === 200 ? body as ListedRoom[] : null;
  } catch {
    return null;
  }
}
