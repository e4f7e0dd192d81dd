import { type Level, LEVELS } from "../away/settings.ts";
import type { Browser, Support } from "../away/support.ts";
import type { Strings } from "../i18n/locale.ts";
import { button, element, setProperties, setText } from "../lib/dom.ts";
import { checkbox, createSheet } from "./sheet.ts";

export interface NotificationsActions {
  choose(level: Level): void;
  /** Asks the browser for its permission if that is still open. */
  turnOn(): void;
  turnOff(): void;
  setSound(on: boolean): void;
}

export interface NotificationsChoice {
  room: string;
  /** The reader's own name, by which others mention them. */
  name: string;
  level: Level;
  isOn: boolean;
  sound: boolean;
  support: Support;
  browser: Browser;
}

export interface NotificationsDialog {
  open(): void;
  show(choice: NotificationsChoice): void;
}

/** Says what notifications are for, and asks what they should be about. */
export function createNotificationsDialog(strings: Strings, actions: NotificationsActions): NotificationsDialog {
  const sheet = createSheet(strings, strings.notifications);
  const state = element("p", { className: "help", role: "status" });
  let isOn = false;
  const turn = button("", "filled", () => isOn ? actions.turnOff() : actions.turnOn());
  const legend = element("legend");
  const mentionHelp = element("span", { id: "notify-mentions-help", className: "help" });
  const choices = LEVELS.map((level) => radio(level, strings.levelChoices[level]));
  const sound = checkbox(strings.sound, strings.soundHelp);

  setText(sheet.title, strings.notifications);
  sheet.body.append(
    element("p", { className: "help", textContent: strings.notificationsAbout }),
    state,
    element("p", { className: "actions" }, turn),
    element("fieldset", {}, legend, ...choices.map(({ line }) => line)),
    sound.element,
  );
  sound.field.onchange = () => actions.setSound(sound.field.checked);

  function radio(level: Level, label: string) {
    const id = `notify-${level}`;
    const field = element("input", { type: "radio", name: "notify", id, onchange: () => actions.choose(level) });
    const texts = element("span", {}, element("label", { htmlFor: id, textContent: label }));
    if (level === "mentions") {
      field.setAttribute("aria-describedby", mentionHelp.id);
      texts.append(mentionHelp);
    }
    return { level, field, line: element("div", { className: "choice" }, field, texts) };
  }

  function stateText({ support, browser, isOn }: NotificationsChoice): string {
    switch (support) {
      case "granted":
        return isOn ? strings.notificationsAreOn : strings.notificationsAreOff;
      case "default":
        return strings.notificationsNotAsked;
      case "denied":
        return `${strings.notificationsDenied} ${strings.notificationsAllow[browser]}`;
      default:
        return strings.notificationsMissing[support];
    }
  }

  return {
    open: sheet.open,
    show(choice) {
      const { support, room, name, level } = choice;
      isOn = support === "granted" && choice.isOn;
      setText(state, stateText(choice));
      setText(turn, isOn ? strings.turnOff : strings.turnOn);
      turn.className = isOn ? "outlined" : "filled";
      setProperties(turn.parentElement!, { hidden: support !== "granted" && support !== "default" });
      setText(legend, strings.notifyIn(room));
      for (const { level: each, field } of choices) setProperties(field, { checked: each === level });
      setProperties(mentionHelp, { hidden: name === "" });
      setText(mentionHelp, strings.mentionHelp(name));
      setProperties(sound.field, { checked: choice.sound });
    },
  };
}
