import type { State } from "../state.ts";
import type { Dialogs } from "./dialogs.ts";

export interface LazyDialogs extends Dialogs {
  /** Loads them now, so that they open at once later. */
  load(): void;
}

/**
 * The dialogs, whose code is loaded after the first screen: it has none of them. One that is asked for earlier opens as
 * soon as the code has come; of several, the last one.
 * @param load is called once: most browsers remember that a module could not be loaded until the page is loaded again
 * @param failed is called when somebody asks for a dialog that can't be loaded
 */
export function lazyDialogs(load: () => Promise<Dialogs>, failed: () => void): LazyDialogs {
  let loading: Promise<void> | null = null;
  let loaded: Dialogs | null = null;
  let isLost = false;
  let state: State | null = null;
  let wanted: ((dialogs: Dialogs) => void) | null = null;

  async function loadOnce(): Promise<void> {
    try {
      loaded = await load();
      if (state) loaded.render(state);
      wanted?.(loaded);
    } catch {
      isLost = true;
      if (wanted) failed();
    }
  }

  function open(dialog: (dialogs: Dialogs) => void): void {
    if (loaded) return dialog(loaded);
    if (isLost) return failed();
    wanted = dialog;
    loading ??= loadOnce();
  }

  return {
    load: () => void (loading ??= loadOnce()),
    changeName: () => open((dialogs) => dialogs.changeName()),
    changeRoom: (suggested) => open((dialogs) => dialogs.changeRoom(suggested)),
    openRoom: (room) => open((dialogs) => dialogs.openRoom(room)),
    jumpToDate: () => open((dialogs) => dialogs.jumpToDate()),
    moderate: () => open((dialogs) => dialogs.moderate()),
    openPerson: (person) => open((dialogs) => dialogs.openPerson(person)),
    openThread: (seq) => open((dialogs) => dialogs.openThread(seq)),
    share: (seq) => open((dialogs) => dialogs.share(seq)),
    newRoom: () => open((dialogs) => dialogs.newRoom()),
    openSettings: () => open((dialogs) => dialogs.openSettings()),
    showKeys: () => open((dialogs) => dialogs.showKeys()),
    render(next) {
      // Who has gone to another room wants to write there.
      if (state?.room.name !== next.room.name) wanted = null;
      state = next;
      loaded?.render(next);
    },
  };
}
