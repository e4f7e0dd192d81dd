/** How the tabs of one browser agree: whether any of them can be seen, which one alerts, what has been read. */

export interface Tabs {
  /** Whether a tab of the page can be seen, this one included. */
  isAnyVisible(): Promise<boolean>;
  /** Whether this tab, and no other, now has what is called so, until it releases it or is closed. */
  claim(name: string): Promise<boolean>;
  release(name: string): void;
  /** Tells the other tabs that this room is being read here. */
  tellRead(room: string): void;
}

interface Held {
  granted: Promise<boolean>;
  release(): void;
}

/**
 * Tabs that agree by locks, which the browser takes from a tab that is closed, crashes or is put into the back/forward
 * cache. Without TLS browsers have no locks, and none where the reader forbids storage: then each tab knows only of
 * itself, so that two can sound for one message.
 * @param scope precedes all names, because a host may have several chats
 * @param onRead another tab shows this room
 */
export function createTabs(scope: string, onRead: (room: string) => void): Tabs {
  const visible = `parley.visible:${scope}`;
  const channel = openChannel(`parley.read:${scope}`);
  const { locks } = channel ? navigator as { locks?: LockManager } : {};
  const claimed = new Map<string, Held>();
  let shown: Held | null = null;

  if (channel) channel.onmessage = ({ data }) => typeof data === "string" && onRead(data);
  document.addEventListener("visibilitychange", noteVisible);
  addEventListener("pageshow", noteVisible);
  // A page that holds a lock is never kept for the back button.
  addEventListener("pagehide", () => {
    shown?.release();
    shown = null;
    for (const name of [...claimed.keys()]) release(name);
  });
  noteVisible();

  function noteVisible() {
    if (!document.hidden) shown ??= hold(visible, { mode: "shared" });
    else {
      shown?.release();
      shown = null;
    }
  }

  function hold(name: string, options: LockOptions): Held {
    if (!locks) return { granted: Promise.resolve(true), release() {} };
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: granted, resolve: grant } = Promise.withResolvers<boolean>();
    locks.request(name, options, (lock) => {
      grant(lock !== null);
      return lock ? released : undefined;
    }).catch(() => grant(false)); // the document is on its way out
    return { granted, release };
  }

  function release(name: string) {
    claimed.get(name)?.release();
    claimed.delete(name);
  }

  return {
    async isAnyVisible() {
      if (!document.hidden) return true;
      const { held = [] } = await locks?.query() ?? {};
      return held.some(({ name }) => name === visible);
    },
    async claim(name) {
      const before = claimed.get(name);
      if (before) return await before.granted;
      const held = hold(`parley.claim:${scope}${name}`, { ifAvailable: true });
      claimed.set(name, held);
      const granted = await held.granted;
      // Another one has it, which may be closed before the next message.
      if (!granted && claimed.get(name) === held) claimed.delete(name);
      return granted;
    },
    release,
    tellRead: (room) => channel?.postMessage(room),
  };
}

/** Null where the reader forbids storage: Firefox refuses all by which tabs could know of each other. */
function openChannel(name: string): BroadcastChannel | null {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
}
