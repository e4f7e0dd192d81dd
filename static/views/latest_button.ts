import type { Locale } from "../i18n/locale.ts";
import { element, find, setProperties, setText } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { newCount, type State, unreadOf } from "../state.ts";

export interface LatestButtonActions {
  /** Comes back to the answer that the reader has left for what it answers. */
  backToAnswer(): void;
  goToNew(): void;
  toLatest(): void;
}

export interface LatestButton {
  /** @param line where the line "New" is, seen from what is in view */
  render(state: State, line: "above" | "below" | "within"): void;
}

/** The way to what is not in view: to the first of the new messages, then to the newest one. */
export function createLatestButton({ strings }: Locale, actions: LatestButtonActions): LatestButton {
  const button = find("to-latest", HTMLButtonElement);
  const text = element("span");
  let leadsToNew = false;

  const back = find("back-to-answer", HTMLButtonElement);
  back.append(icon("answer"), element("span", { textContent: strings.back }));
  setProperties(back, { ariaLabel: strings.goBack, title: strings.goBack });
  back.onclick = actions.backToAnswer;
  button.append(text, icon("down"));

  button.onclick = () => leadsToNew ? actions.goToNew() : actions.toLatest();

  function render(state: State, line: "above" | "below" | "within") {
    const { newRun, following, room, leftAnswer } = state;
    setProperties(back, { hidden: leftAnswer === null });
    // To count them takes time, and most of the time nobody asks.
    const mayLead = newRun !== null && !newRun.visited && !(following && line === "within");
    const { count, more } = mayLead ? newCount(state) : { count: 0, more: false };
    leadsToNew = count > 0;
    const unread = unreadOf(state, room.name);
    const label = leadsToNew
      ? strings.newMessages(count, more)
      : unread.count > 0
      ? strings.newMessages(unread.count, unread.more)
      : strings.latest;
    setProperties(button, { hidden: following && !leadsToNew });
    button.classList.toggle("up", leadsToNew && line === "above");
    setText(text, label);
  }

  return { render };
}
