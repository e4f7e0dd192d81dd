import { type Locale, refusalText } from "../i18n/locale.ts";
import { element, find, setProperties, setText } from "../lib/dom.ts";
import { isEmpty, refusalOf, type State } from "../state.ts";

/** Why the server refuses the page, for its visitors and for its operator. Shown in an empty room. */
export function createRefusalView({ strings }: Locale): { render(state: State): void } {
  const title = element("h2");
  const text = element("p");
  const view = element(
    "div",
    { id: "refused", hidden: true },
    title,
    text,
  );
  find("conversation", HTMLElement).append(view);

  function render(state: State) {
    const refusal = refusalOf(state);
    setProperties(view, { hidden: !refusal || !state.online || !isEmpty(state) || state.room.problem !== null });
    if (!refusal) return;
    setText(title, refusalText(strings.refusalTitles, refusal));
    setText(text, refusalText(strings.refusalTexts, refusal));
  }

  return { render };
}
