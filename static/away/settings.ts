/** What someone wishes to be told about while away, for this browser. */
import type { KeyValueStorage } from "../../client/storage.ts";

/** What to tell about a room. */
export type Level = "everything" | "mentions" | "nothing";

export const LEVELS: readonly Level[] = ["everything", "mentions", "nothing"];
export const DEFAULT_LEVEL: Level = "mentions";
/** The key in the browser's storage. */
export const SETTINGS_KEY = "parley.notifications";
/** Rooms with a level of their own; past that the one chosen the longest ago has the default again. */
export const ROOMS_LIMIT = 500;

export interface AwaySettings {
  /** Whether someone has turned notifications on here. The browser's permission is apart from that. */
  readonly on: boolean;
  readonly sound: boolean;
  /** Only rooms whose level is not the default. */
  readonly rooms: ReadonlyMap<string, Level>;
}

const NONE: AwaySettings = { on: false, sound: false, rooms: new Map() };

export function levelOf({ rooms }: AwaySettings, room: string): Level {
  return rooms.get(room) ?? DEFAULT_LEVEL;
}

export function withLevel(settings: AwaySettings, room: string, level: Level): AwaySettings {
  const others = [...settings.rooms].filter(([other]) => other !== room);
  const rooms = level === DEFAULT_LEVEL ? others : [...others, [room, level] as const];
  return { ...settings, rooms: new Map(rooms.slice(-ROOMS_LIMIT)) };
}

export function saveSettings(storage: KeyValueStorage, { on, sound, rooms }: AwaySettings): void {
  storage.write(SETTINGS_KEY, JSON.stringify({ on, sound, rooms: [...rooms] }));
}

/** Reads what the page stored before, in this or in another tab, or in another version. */
export function loadSettings(storage: KeyValueStorage): AwaySettings {
  try {
    const { on, sound, rooms } = JSON.parse(storage.read(SETTINGS_KEY) ?? "{}");
    const kept: [string, Level][] = Array.isArray(rooms) ? rooms.filter(isChoice) : [];
    return { on: on === true, sound: sound === true, rooms: new Map(kept.slice(-ROOMS_LIMIT)) };
  } catch {
    return NONE; // not JSON, or null: something else wrote it
  }
}

function isChoice(value: unknown): value is [string, Level] {
  return Array.isArray(value) && typeof value[0] === "string" && LEVELS.includes(value[1]);
}
