/** Signs of what is unread that can be seen without the page: its icon, and the badge of the installed app. */
import type { unseen } from "./bell.ts";

/** @returns the function that shows what is unread */
export function createSigns(): (unread: ReturnType<typeof unseen>) => void {
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"][type="image/svg+xml"]');
  const plain = icon?.href ?? "";
  let badge = -1; // an app that was closed may have one

  return ({ unread, mentions }) => {
    const name = mentions > 0 ? "favicon-mention.svg" : unread > 0 ? "favicon-unread.svg" : "favicon.svg";
    const href = plain.replace("favicon.svg", name);
    if (icon && icon.href !== href) icon.href = href;
    const next = mentions || unread;
    if (next === badge) return;
    badge = next;
    // Only an installed app has a badge; elsewhere it is refused or missing.
    const done = next > 0 ? navigator.setAppBadge?.(next) : navigator.clearAppBadge?.();
    done?.catch(() => {});
  };
}
