import { type Member, NAME_LIMIT } from "../../chat/protocol.ts";
import { failureText, type Locale } from "../i18n/locale.ts";
import { createAvatar } from "../lib/avatar.ts";
import { button, element, setProperties, setText, showDone } from "../lib/dom.ts";
import type { Failure } from "../lib/moderator.ts";
import { isMuted } from "../lib/mutes.ts";
import { canWrite, type State } from "../state.ts";
import { checkbox, createSheet, select } from "./sheet.ts";

const HOUR = 60;
const DAY = 24 * HOUR;
/** The choices for a ban, in minutes. */
const BAN_MINUTES = [10, HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY];
/** The server accepts 500 characters, and the name comes before the reason. */
const REASON_LIMIT = 500 - NAME_LIMIT - ": ".length;

export interface PersonActions {
  mute(person: Member): void;
  unmute(user: string): void;
  /** Begins to write to them. */
  mention(name: string): void;
  /** Opens the dialog about one's own name. */
  changeName(): void;
  ban(ban: { user: string; minutes: number; reason: string; address: boolean }): Promise<Failure>;
}

export interface PersonDialog {
  open(person: Member): void;
  render(state: State): void;
}

/** A person's card: who it is, whether they are here, and what one can do. A moderator can ban them there. */
export function createPersonDialog(locale: Locale, actions: PersonActions): PersonDialog {
  const { strings } = locale;
  const sheet = createSheet(strings, strings.person);
  const name = element("bdi");
  const presence = element("p", { className: "help" });
  const copied = element("p", { className: "help", role: "status" });
  const mention = button(strings.mention, "outlined", () => {
    sheet.close(); // first, because it returns the focus
    actions.mention(person.name);
  });
  const copy = button(strings.copyName, "outlined", copyName);
  const changeName = button(strings.changeName, "outlined", () => {
    sheet.close();
    actions.changeName();
  });
  const muted = element("p", { className: "help" });
  const muting = element("div");
  const mute = button("", "outlined", () => {
    if (isMuted(state.muted, person.user)) actions.unmute(person.user);
    else {
      actions.mute(person);
      sheet.close();
    }
  });
  const minutes = select(strings.banFor, BAN_MINUTES.map((value) => [value, strings.duration(value)]), HOUR);
  const reason = element("input", {
    type: "text",
    id: "ban-reason",
    dir: "auto",
    maxLength: REASON_LIMIT,
    autocomplete: "off",
  });
  const address = checkbox(strings.banAddress, strings.banAddressHelp);
  const error = element("p", { className: "problem", role: "alert" });
  const banNow = element("button", { type: "submit", className: "outlined danger", textContent: strings.ban });
  const ban = element(
    "form",
    { noValidate: true },
    element("h3", { textContent: strings.banTitle }),
    minutes.label,
    minutes.field,
    element("label", { htmlFor: reason.id, textContent: strings.banReason }),
    reason,
    address.element,
    error,
    element("p", { className: "actions" }, banNow),
  );
  let person: Member = { user: "", name: "" };
  /** Whose name and mark are there. */
  let shown = person;
  let state: State;

  sheet.title.classList.add("card");
  muting.append(element("p", { className: "actions" }, mute), muted);
  sheet.body.append(presence, element("p", { className: "actions" }, mention, changeName, copy), copied, muting, ban);
  ban.onsubmit = async (event) => {
    event.preventDefault();
    banNow.disabled = true;
    // A ban has only the person's id. This is how the list of bans knows the name.
    const reasonWithName = [person.name, reason.value.trim()].filter((part) => part !== "").join(": ");
    const failure = await actions.ban({
      user: person.user,
      minutes: Number(minutes.field.value),
      reason: reasonWithName,
      address: address.field.checked,
    });
    banNow.disabled = false;
    setText(error, failure === null ? "" : failureText(strings, failure));
    if (failure === null) sheet.close();
  };

  async function copyName() {
    try {
      await navigator.clipboard.writeText(person.name);
      showDone(copied, strings.nameCopied);
    } catch {
      // Pages without TLS have no clipboard: the name is selected, to be copied by hand.
      getSelection()?.selectAllChildren(name);
      setText(copied, strings.copyNameByHand);
    }
  }

  /** Whether they are here; null where a crowd's list is too long to know it. */
  function isHere({ room, me }: State): boolean | null {
    if (person.user === me?.user) return room.joined;
    if (room.members.some(({ user }) => user === person.user)) return true;
    return room.joined && room.members.length >= room.count ? false : null;
  }

  /** Under the name that they have now: a message has the one that its author had then. */
  function showName() {
    const now = [...state.me ? [state.me] : [], ...state.room.members].find(({ user }) => user === person.user);
    person = { user: person.user, name: now?.name ?? person.name };
    if (shown.user === person.user && shown.name === person.name) return;
    shown = person;
    setText(name, person.name);
    sheet.title.replaceChildren(createAvatar(person), name);
  }

  function render(next: State) {
    state = next;
    showName();
    const here = isHere(state);
    const isOwn = person.user === state.me?.user;
    setText(presence, here === null ? "" : here ? strings.isHere : strings.isNotHere);
    setProperties(presence, { hidden: here === null });
    setProperties(mention, { hidden: isOwn || !canWrite(state) });
    setProperties(changeName, { hidden: !isOwn });
    setProperties(muting, { hidden: isOwn });
    const isNowMuted = isMuted(state.muted, person.user);
    setText(muted, isNowMuted ? strings.mutedHelp : strings.muteHelp);
    setText(mute, isNowMuted ? strings.unmute : strings.mute);
    setProperties(ban, { hidden: isOwn || state.moderation === null });
  }

  return {
    open(whom) {
      person = whom;
      setText(copied, "");
      reason.value = "";
      address.field.checked = false;
      setText(error, "");
      render(state);
      sheet.open();
    },
    render,
  };
}
