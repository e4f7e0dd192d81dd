/** Puts together what reaches someone who does not look at the page: notifications, a sound, the icon, the badge. */
import type { Clock } from "../../client/clock.ts";
import type { KeyValueStorage } from "../../client/storage.ts";
import { createNotificationsDialog } from "../dialogs/notifications_dialog.ts";
import type { Strings } from "../i18n/locale.ts";
import { setProperties } from "../lib/dom.ts";
import { displayName } from "../lib/room_name.ts";
import type { State } from "../state.ts";
import { createAlerts, type RoomAlert } from "./alerts.ts";
import { type Away, unseen } from "./bell.ts";
import { createChime } from "./chime.ts";
import { excerpt } from "./excerpt.ts";
import { createNotifier } from "./notifier.ts";
import { type AwaySettings, levelOf, loadSettings, saveSettings, SETTINGS_KEY, withLevel } from "./settings.ts";
import { createSigns } from "./signs.ts";
import { environment, supportIn } from "./support.ts";
import { createTabs } from "./tabs.ts";

export interface AwayOptions {
  bell: HTMLButtonElement;
  strings: Strings;
  state: () => State;
  storage: KeyValueStorage;
  clock: Clock;
  /** Precedes keys and names, because a host may have several chats. */
  prefix: string;
  /** The address of a room, without its host. */
  pathOf: (room: string, seq?: number) => string;
  /** Goes to an address of the chat, as a link does. */
  navigate: (path: string) => void;
}

export function createAway({ bell, strings, state, storage, clock, prefix, pathOf, navigate }: AwayOptions): Away {
  let settings = loadSettings(storage);
  /** The room that can be seen here; null while none can. */
  let seen: string | null = null;
  const support = () => supportIn(environment());
  const isPermitted = () => support() === "granted";
  const tagOf = (room: string) => prefix + room;

  const notifier = createNotifier(navigate);
  const chime = createChime();
  const showSigns = createSigns();
  const tabs = createTabs(prefix, (room) => alerts.read(room));
  const alerts = createAlerts({
    tabs,
    clock,
    settings: () => settings,
    isPermitted,
    state,
    show(alert) {
      const { room, again } = alert;
      notifier.show({ ...said(alert), tag: tagOf(room), again, path: placeOf(alert) });
    },
    close: (room) => notifier.close(tagOf(room)),
    chime: () => void chime().catch(() => {/* there is no loudspeaker */}),
  });
  const dialog = createNotificationsDialog(strings, {
    choose: (level) => change(withLevel(settings, state().room.name, level)),
    async turnOn() {
      // Only here, where someone has just pressed a button for it.
      if (support() === "default") await Notification.requestPermission();
      if (isPermitted()) change({ ...settings, on: true });
      else show();
    },
    turnOff: () => change({ ...settings, on: false }),
    setSound(sound) {
      change({ ...settings, sound });
      if (sound) chime();
    },
  });

  addEventListener("storage", ({ key }) => {
    if (key !== null && key !== prefix + SETTINGS_KEY) return;
    settings = loadSettings(storage);
    show();
  });
  // Safari and others name no permission so, and tell when the dialog is opened the next time.
  navigator.permissions?.query({ name: "notifications" }).then((status) => status.onchange = show, () => {});

  function change(next: AwaySettings) {
    settings = next;
    saveSettings(storage, settings);
    show();
  }

  /** Shows the choice, in the bell and in the dialog. */
  function show() {
    const { room, me } = state();
    const level = levelOf(settings, room.name);
    const isOn = settings.on && isPermitted() && level !== "nothing";
    const label = isOn
      ? strings.notificationsFor(displayName(room.name).name, strings.levels[level])
      : strings.notificationsOff;
    bell.classList.toggle("on", isOn);
    setProperties(bell, { ariaLabel: label, title: label });
    dialog.show({
      room: displayName(room.name).name,
      name: me?.name ?? "",
      level,
      isOn: settings.on,
      sound: settings.sound,
      support: support(),
      browser: environment().browser,
    });
  }

  /** One message, or the room, where the first of several stands below the line "New". */
  function placeOf({ room, message, count, mention }: RoomAlert): string {
    return count === 1 || mention ? pathOf(room, message.seq) : pathOf(room);
  }

  function said({ room, message, count, mention }: RoomAlert): { title: string; body: string } {
    const lines = [
      ...(count === 1 || mention ? [`${message.from}: ${excerpt(message.text ?? "")}`] : []),
      ...(count > 1 ? [strings.notificationCount(count)] : []),
    ];
    return { title: displayName(room).name, body: lines.join("\n") };
  }

  let shown: State["room"]["name"] | null = null;
  return {
    arrived: (arrived) => void alerts.arrived(arrived),
    open() {
      show();
      dialog.open();
    },
    render(next) {
      const { visible, room } = next;
      showSigns(unseen(next));
      const before = seen;
      seen = visible ? room.name : null;
      if (seen !== null) {
        alerts.read(seen);
        if (seen !== before) tabs.tellRead(seen);
      }
      if (shown !== room.name) show();
      shown = room.name;
    },
  };
}
