import type { Locale } from "../i18n/locale.ts";
import { element, find, setProperties, setText } from "../lib/dom.ts";
import { isEmpty, type State } from "../state.ts";

/**
 * The link to sign in: in the middle of an empty room, and at the foot of the page beside messages (when a session has
 * ended).
 */
export function createSignInView({ strings }: Locale): { render(state: State): void } {
  const footLink = find("sign-in", HTMLAnchorElement);
  const link = element("a", { className: "filled", textContent: strings.signIn });
  const door = element(
    "div",
    { id: "door", hidden: true },
    element("h2", { textContent: strings.signInFirst }),
    element("p", { textContent: strings.signInText }),
    link,
  );
  setText(footLink, strings.signIn);
  find("conversation", HTMLElement).append(door);

  function render(state: State) {
    const { status, room } = state;
    const url = status.kind === "signed_out" ? status.loginUrl : null;
    setProperties(door, { hidden: status.kind !== "signed_out" || !isEmpty(state) || room.problem !== null });
    setProperties(link, { hidden: url === null });
    setProperties(footLink, { hidden: url === null || !door.hidden });
    if (url !== null) link.href = footLink.href = backTo(url, room.name);
  }

  return { render };
}

/** The address of the login with the room in it, so that the login can send people back to their room. */
function backTo(loginUrl: string, room: string): string {
  const url = new URL(loginUrl);
  url.searchParams.set("room", room);
  return url.href;
}
