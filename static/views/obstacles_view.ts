/** What stands in the place of the conversation where there is nothing to read, and why. */
import { CLOSE, DEFAULT_ROOM } from "../../chat/protocol.ts";
import { errorText, type Locale, refusalText } from "../i18n/locale.ts";
import { button, element, find, setProperties, setText } from "../lib/dom.ts";
import { displayName } from "../lib/room_name.ts";
import { isBanned, isEmpty, refusalOf, type State } from "../state.ts";

export interface ObstacleActions {
  goTo(room: string): void;
  /** Opens the dialog in which one finds a room. */
  changeRoom(suggested: string): void;
  retryNow(): void;
  /** The address of a room. */
  pathOf(room: string): string;
}

interface Obstacle {
  element: HTMLElement;
  render(state: State): void;
}

/** An address without a room, a person who has to sign in or is banned, and a server that refuses the page. */
export function createObstaclesView(locale: Locale, actions: ObstacleActions): { render(state: State): void } {
  const obstacles = [noRoom(locale, actions), ban(locale, actions.retryNow), door(locale), refusal(locale)];
  find("conversation", HTMLElement).append(...obstacles.map(({ element }) => element));
  return {
    render(state) {
      for (const obstacle of obstacles) obstacle.render(state);
    },
  };
}

/** The room can't be read, or the address has none. */
function noRoom({ strings }: Locale, { goTo, changeRoom, pathOf }: ObstacleActions): Obstacle {
  const view = element("div", { id: "problem", className: "obstacle", hidden: true });
  let shown: State["room"]["problem"] = null;

  function render({ room: { problem, name }, meant }: State) {
    if (shown === problem) return;
    shown = problem;
    view.hidden = problem === null;
    if (!problem) return;
    const isAddress = problem.code === "not_found";
    const rooms = [DEFAULT_ROOM, ...(meant && meant !== DEFAULT_ROOM ? [meant] : [])].reverse();
    view.replaceChildren(
      // Without a room this is the page's main heading.
      element(name === "" ? "h1" : "h2", { textContent: isAddress ? strings.nothingHere : strings.problemTitle }),
      element("p", {
        textContent: isAddress ? strings.nothingHereText(pathOf("islands")) : errorText(strings, problem),
      }),
      ...rooms.map((room) => button(strings.goToRoom(displayName(room).name), "outlined", () => goTo(room))),
      button(strings.changeRoom, "outlined", () => changeRoom(name)),
    );
  }

  return { element: view, render };
}

/** A moderator has banned the person. */
function ban({ strings }: Locale, retryNow: () => void): Obstacle {
  const view = element(
    "div",
    { id: "sent-away", className: "obstacle", hidden: true },
    element("h2", { textContent: strings.closed[CLOSE.notAllowed] }),
    element("p", { textContent: strings.banText }),
    button(strings.tryAgain, "outlined", retryNow),
  );
  return {
    element: view,
    render: (state) => setProperties(view, { hidden: !isBanned(state) || !isEmpty(state) }),
  };
}

/** The way to sign in. Beside messages, where a session has ended, it is at the foot of the page. */
function door({ strings }: Locale): Obstacle {
  const footLink = find("sign-in", HTMLAnchorElement);
  const link = element("a", { className: "filled", textContent: strings.signIn });
  const view = element(
    "div",
    { id: "door", className: "obstacle", hidden: true },
    element("h2", { textContent: strings.signInFirst }),
    element("p", { textContent: strings.signInText }),
    link,
  );
  setText(footLink, strings.signIn);

  function render(state: State) {
    const { status, room } = state;
    const url = status.kind === "signed_out" ? status.loginUrl : null;
    setProperties(view, { hidden: status.kind !== "signed_out" || !isEmpty(state) || room.problem !== null });
    setProperties(link, { hidden: url === null });
    setProperties(footLink, { hidden: url === null || !view.hidden });
    if (url !== null) link.href = footLink.href = backTo(url, room.name);
  }

  return { element: view, render };
}

/** The address of the login with the room in it, so that the login can send people back to their room. */
function backTo(loginUrl: string, room: string): string {
  const url = new URL(loginUrl);
  url.searchParams.set("room", room);
  return url.href;
}

/** Why the server refuses the page, for its visitors and for its operator. */
function refusal({ strings }: Locale): Obstacle {
  const title = element("h2");
  const text = element("p");
  const view = element("div", { id: "refused", className: "obstacle", hidden: true }, title, text);

  function render(state: State) {
    const refusal = refusalOf(state);
    setProperties(view, { hidden: !refusal || !state.online || !isEmpty(state) || state.room.problem !== null });
    if (!refusal) return;
    setText(title, refusalText(strings.refusalTitles, refusal));
    setText(text, refusalText(strings.refusalTexts, refusal));
  }

  return { element: view, render };
}
