import { type Member, NAME_LIMIT } from "../../chat/protocol.ts";
import { failureText, type Locale } from "../i18n/locale.ts";
import { button, element, setProperties, setText } from "../lib/dom.ts";
import type { Failure } from "../lib/moderator.ts";
import { isMuted } from "../lib/mutes.ts";
import type { State } from "../state.ts";
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
  ban(ban: { user: string; minutes: number; reason: string; address: boolean }): Promise<Failure>;
}

export interface PersonDialog {
  open(person: Member): void;
  render(state: State): void;
}

/** What one can do about someone else: mute them, and, as a moderator, ban them. */
export function createPersonDialog(locale: Locale, actions: PersonActions): PersonDialog {
  const { strings } = locale;
  const sheet = createSheet(strings, strings.person);
  const name = element("bdi");
  const muted = element("p", { className: "help" });
  const mute = button("", "outlined", () => {
    if (isMuted(state.muted, person.user)) actions.unmute(person.user);
    else {
      actions.mute(person);
      sheet.close();
    }
  });
  const minutes = select(strings.banFor, BAN_MINUTES.map((value) => [value, strings.duration(value)]), HOUR);
  const reason = element("input", { type: "text", id: "ban-reason", maxLength: REASON_LIMIT, autocomplete: "off" });
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
  let state: State;

  sheet.title.append(name);
  sheet.body.append(muted, element("p", { className: "actions" }, mute), ban);
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

  function render(next: State) {
    state = next;
    const isNowMuted = isMuted(state.muted, person.user);
    setText(muted, isNowMuted ? strings.mutedHelp : strings.muteHelp);
    setText(mute, isNowMuted ? strings.unmute : strings.mute);
    setProperties(ban, { hidden: state.moderation === null });
  }

  return {
    open(whom) {
      person = whom;
      setText(name, person.name);
      reason.value = "";
      address.field.checked = false;
      setText(error, "");
      render(state);
      sheet.open();
    },
    render,
  };
}
