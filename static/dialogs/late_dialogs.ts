import type { State } from "../state.ts";
import type { Dialogs } from "./dialogs.ts";

export interface LateDialogs extends Dialogs {
  /** Loads them now, so that they open at once later. */
  load(): void;
}

/**
 * The dialogs, whose code is loaded after the first screen: it has none of them. One that is opened earlier opens when
 * they have come.
 * @param failed is called if they do not come and somebody waits for one; the next one to open tries again
 */
export function lateDialogs(load: () => Promise<Dialogs>, failed: () => void): LateDialogs {
  let loading: Promise<Dialogs> | null = null;
  let loaded: Dialogs | null = null;
  let state: State | null = null;

  async function come(): Promise<Dialogs> {
    try {
      const dialogs = await load();
      if (state) dialogs.render(state);
      return loaded = dialogs;
    } catch (error) {
      loading = null;
      throw error;
    }
  }

  /** Does something with them, at once if they are there. */
  function use(work: (dialogs: Dialogs) => void): void {
    if (loaded) return work(loaded);
    (loading ??= come()).then(work, failed);
  }

  return {
    load: () => void (loading ??= come()).catch(() => {/* nobody waits for one yet */}),
    changeName: () => use((dialogs) => dialogs.changeName()),
    changeRoom: (suggested) => use((dialogs) => dialogs.changeRoom(suggested)),
    moderate: () => use((dialogs) => dialogs.moderate()),
    openPerson: (person) => use((dialogs) => dialogs.openPerson(person)),
    render(next) {
      state = next;
      loaded?.render(next);
    },
  };
}
