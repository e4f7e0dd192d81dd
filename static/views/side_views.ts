/**
 * What stands beside the conversation, which are the rooms and the people, or in its place, where it can't be; and the
 * search's button and key. It comes after the first messages, which need none of it.
 */
import type { Locale } from "../i18n/locale.ts";
import { createSearchOpener, type SearchBox, type SearchOpener } from "../search/opener.ts";
import type { State } from "../state.ts";
import { createObstaclesView, type ObstacleActions } from "./obstacles_view.ts";
import { createPeopleView, type PeopleActions } from "./people_view.ts";
import { createRoomsView, type RoomsActions } from "./rooms_view.ts";

export interface SideViews {
  readonly search: SearchOpener;
  render(state: State): void;
}

export function createSideViews(
  locale: Locale,
  rooms: RoomsActions,
  people: PeopleActions,
  obstacles: ObstacleActions,
  search: { load: () => Promise<SearchBox>; failed: () => void },
): SideViews {
  const opener = createSearchOpener(locale.strings, search.load, search.failed);
  const views = [
    opener,
    createRoomsView(locale, rooms),
    createPeopleView(locale, people),
    createObstaclesView(locale, obstacles),
  ];
  return { search: opener, render: (state) => views.forEach((view) => view.render(state)) };
}
