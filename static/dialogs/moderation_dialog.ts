import { DEFAULT_ROOM, type Member } from "../../chat/protocol.ts";
import { failureText, type Locale } from "../i18n/locale.ts";
import { button, element, setText } from "../lib/dom.ts";
import type { Ban, Failure, Moderator, RoomChange } from "../lib/moderator.ts";
import { displayName } from "../lib/room_name.ts";
import type { State } from "../state.ts";
import { createFieldDialog } from "./field_dialog.ts";
import { checkbox, createSheet, select } from "./sheet.ts";

const MINUTE = 60;
/** Seconds between two messages that a moderator may set by a click. */
const SLOW_SECONDS = [0, 5, 10, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE];

export interface ModerationDialog {
  /** Asks for the token first if the person is not a moderator. */
  open(): void;
  render(state: State): void;
}

/** The settings of the room and the list of bans, for moderators. */
export function createModerationDialog(locale: Locale, moderator: Moderator): ModerationDialog {
  const { strings, tag } = locale;
  const dates = new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "short" });
  const sheet = createSheet(strings, strings.moderate);
  const locked = checkbox(strings.lock, strings.lockHelp);
  const listed = checkbox(strings.list, strings.listHelp);
  const slow = select(strings.slowMode, SLOW_SECONDS.map((value) => [value, strings.slowChoice(value)]), 0);
  const error = element("p", { className: "problem", role: "alert" });
  const bans = element("ul", { role: "list", className: "bans" });
  const nobody = element("p", { className: "help", textContent: strings.nobodyBanned });
  let state: State;
  let shownBans: readonly Ban[] | null = null;
  /** What was chosen here and the room does not have yet. Shown before it has, so that a choice does not jump back. */
  let chosen: RoomChange = {};

  const tokenDialog = createFieldDialog(strings, {
    title: strings.moderate,
    label: strings.tokenField,
    hint: strings.tokenHint,
    submit: strings.go,
    type: "password",
  }, async (value) => {
    const failure = await moderator.enter(value.trim());
    if (failure === null) sheet.open();
    else if (failure !== "offline" && failure.code === "not_found") return strings.tokenBad;
    return failure && failureText(strings, failure);
  });

  sheet.body.append(
    locked.element,
    listed.element,
    slow.label,
    slow.field,
    error,
    element("h3", { textContent: strings.banned }),
    nobody,
    bans,
  );
  sheet.foot.prepend(button(strings.stopModerating, "quiet danger", () => {
    moderator.leave();
    sheet.close();
  }));
  locked.field.onchange = () => change({ locked: locked.field.checked });
  listed.field.onchange = () => change({ listed: listed.field.checked });
  slow.field.onchange = () => change({ slow_seconds: Number(slow.field.value) });

  async function change(settings: RoomChange) {
    chosen = { ...chosen, ...settings };
    showFailure(await moderator.changeRoom(state.room.name, settings));
  }

  /** A failed change shows the old setting again. */
  function showFailure(failure: Failure) {
    setText(error, failure === null ? "" : failureText(strings, failure));
    if (failure === null) return;
    chosen = {};
    render(state);
  }

  function render(next: State) {
    state = next;
    const { room, moderation } = state;
    if (moderation === null) {
      chosen = {};
      return sheet.close();
    }
    const { name, isUnlisted } = displayName(room.name);
    setText(sheet.title, strings.moderateRoom(name));
    const isListed = moderation.listed.includes(room.name);
    if (chosen.locked === room.locked) delete chosen.locked;
    if (chosen.listed === isListed) delete chosen.listed;
    if (chosen.slow_seconds === room.slowSeconds) delete chosen.slow_seconds;
    locked.field.checked = chosen.locked ?? room.locked;
    listed.element.hidden = room.name === DEFAULT_ROOM;
    listed.field.checked = chosen.listed ?? isListed;
    // One that is listed already can be taken off the list.
    listed.field.disabled = isUnlisted && !listed.field.checked;
    setText(listed.help, isUnlisted ? strings.neverListed : strings.listHelp);
    chooseSlow(chosen.slow_seconds ?? room.slowSeconds);
    nobody.hidden = moderation.bans.length > 0;
    if (shownBans === moderation.bans) return;
    shownBans = moderation.bans;
    bans.replaceChildren(...shownBans.map(line));
  }

  /** Adds a choice where another program has set a value that is not among them. */
  function chooseSlow(seconds: number) {
    const { field } = slow;
    const isChoice = [...field.options].some(({ value }) => value === String(seconds));
    if (!isChoice) {
      field.append(element("option", { value: String(seconds), textContent: strings.slowChoice(seconds) }));
    }
    field.value = String(seconds);
  }

  function line({ user, until, reason, address }: Ban): HTMLLIElement {
    const name = nameOf(user);
    const lift = button(strings.liftBan, "outlined", async () => {
      lift.disabled = true;
      showFailure(await moderator.unban(user));
      lift.disabled = false;
    });
    lift.ariaLabel = `${strings.liftBan}: ${name}`;
    // The page stores the name before the reason, because the name may be unknown later. Here it would be shown twice.
    const ownReason = reason === name ? "" : reason.startsWith(`${name}: `) ? reason.slice(name.length + 2) : reason;
    const about = [strings.bannedUntil(dates.format(until)), address ? strings.addressToo : "", ownReason];
    return element(
      "li",
      {},
      element(
        "span",
        {},
        element("bdi", { textContent: name }),
        element("span", { className: "help", textContent: about.filter((part) => part !== "").join(" · ") }),
      ),
      lift,
    );
  }

  /** A ban has only the person's id. The name is known of those who are, or were, in this room. */
  function nameOf(user: string): string {
    const member: Member | undefined = [...state.room.members, ...state.muted].find((other) => other.user === user);
    return member?.name ?? state.room.messages.findLast((message) => message.user === user)?.from ?? user;
  }

  return {
    async open() {
      if (state.moderation === null) return tokenDialog.open("");
      chosen = {};
      showFailure(null);
      render(state);
      sheet.open();
      showFailure(await moderator.refresh());
    },
    render,
  };
}
