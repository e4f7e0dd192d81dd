/** Turns messages that nobody sees into notifications and sounds: one at a time for each room, from one tab. */
import type { ReceiveMessage } from "../../chat/protocol.ts";
import type { Clock } from "../../client/clock.ts";
import type { Arrived } from "../controller.ts";
import { isMuted } from "../lib/mutes.ts";
import type { State } from "../state.ts";
import { type AwaySettings, levelOf } from "./settings.ts";
import { shouldAlert } from "./should_alert.ts";
import type { Tabs } from "./tabs.ts";

/** Least milliseconds between a room's notification and the next that only counts on. A mention never waits. */
export const COUNT_INTERVAL = 2_000;
/** Least milliseconds between two sounds, in all tabs together. */
export const CHIME_INTERVAL = 3_000;
/** No room has this name. */
const CHIME = "!chime";

/** What a notification says: this message, and of how many it is one. */
export interface RoomAlert {
  room: string;
  /** The last one that mentions the reader if any does, otherwise the last one. */
  message: ReceiveMessage;
  /** Messages since the room was last read. */
  count: number;
  mention: boolean;
  /** Whether to draw attention once more where the notification is there already. */
  again: boolean;
}

export interface AlertOptions {
  tabs: Pick<Tabs, "isAnyVisible" | "claim" | "release">;
  clock: Pick<Clock, "after">;
  settings: () => AwaySettings;
  isPermitted: () => boolean;
  state: () => Pick<State, "rooms" | "muted">;
  show: (alert: RoomAlert) => void;
  close: (room: string) => void;
  chime: () => void;
}

export interface Alerts {
  arrived(arrived: readonly Arrived[]): Promise<void>;
  /** Somebody looks at the room, in this or in another tab. */
  read(room: string): void;
}

interface Unread {
  alert: RoomAlert;
  /** Ends the pause after a notification; null when there is none. */
  pause: (() => void) | null;
  /** Whether there is more to show after the pause. */
  isDue: boolean;
}

export function createAlerts(options: AlertOptions): Alerts {
  const { tabs, clock, state, show, close } = options;
  /** In every tab, so that another one can go on counting when the tab that alerts is closed. */
  const unread = new Map<string, Unread>();
  let isChiming = false;

  /** Counts what is worth an alert. @returns the rooms with such messages */
  function count(arrived: readonly Arrived[], isPageVisible: boolean) {
    const { rooms, muted } = state();
    const settings = options.settings();
    const due = new Map<string, { notify: boolean; chime: boolean; mention: boolean }>();
    for (const { message, mention } of arrived) {
      const { room, user } = message;
      const { notify, chime } = shouldAlert({
        level: levelOf(settings, room),
        mention,
        isRoomMuted: rooms.some((kept) => kept.room === room && kept.muted),
        isAuthorMuted: isMuted(muted, user),
        isPageVisible,
        mayNotify: settings.on && options.isPermitted(),
        mayChime: settings.sound,
      });
      if (!notify && !chime) continue;
      due.set(room, { notify, chime, mention: mention || (due.get(room)?.mention ?? false) });
      const entry = unread.get(room);
      if (!entry) {
        unread.set(room, { alert: { room, message, mention, count: 1, again: false }, pause: null, isDue: false });
      } else entry.alert = counted(entry.alert, message, mention);
    }
    return due;
  }

  function notify(room: string, mention: boolean) {
    const entry = unread.get(room);
    if (!entry) return;
    if (entry.pause && !mention) {
      entry.isDue = true;
      return;
    }
    entry.pause?.();
    entry.isDue = false;
    entry.pause = clock.after(COUNT_INTERVAL, () => {
      entry.pause = null;
      if (entry.isDue) notify(room, false);
    });
    show({ ...entry.alert, again: mention });
  }

  async function chime() {
    if (isChiming) return;
    isChiming = true;
    if (await tabs.claim(CHIME)) options.chime();
    clock.after(CHIME_INTERVAL, () => {
      isChiming = false;
      tabs.release(CHIME);
    });
  }

  return {
    async arrived(arrived) {
      const due = count(arrived, await tabs.isAnyVisible());
      for (const [room, { notify: isNotified, chime: isHeard, mention }] of due) {
        if (!await tabs.claim(room)) continue;
        // While the tabs agreed, somebody may have come back.
        if (!unread.has(room)) {
          tabs.release(room);
          continue;
        }
        if (isHeard) chime();
        if (isNotified) notify(room, mention);
      }
    },
    read(room) {
      const entry = unread.get(room);
      if (!entry) return;
      entry.pause?.();
      unread.delete(room);
      tabs.release(room);
      close(room);
    },
  };
}

function counted(alert: RoomAlert, message: ReceiveMessage, mention: boolean): RoomAlert {
  return {
    ...alert,
    message: alert.mention && !mention ? alert.message : message,
    mention: alert.mention || mention,
    count: alert.count + 1,
  };
}
