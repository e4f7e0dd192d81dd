import { element, find, setText } from "../lib/dom.ts";
import { isEmpty, type State } from "../state.ts";
import type { Locale } from "../i18n/locale.ts";

/**
 * Where one has to sign in: in an empty room it is what there is to see, and beside words that are already there (a
 * session has ended) a link at the foot of the page.
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
    door.hidden = status.kind !== "signed_out" || !isEmpty(state) || room.problem !== null;
    link.hidden = url === null;
    footLink.hidden = url === null || !door.hidden;
    if (url !== null) link.href = footLink.href = backTo(url, room.name);
  }

  return { render };
}

/** The address of the login, which hears of the room, so that it can send its people back to where they came from. */
function backTo(loginUrl: string, room: string): string {
  const url = new URL(loginUrl);
  url.searchParams.set("room", room);
  return url.href;
}
