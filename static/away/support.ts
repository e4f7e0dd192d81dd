/** Whether a browser can show notifications, and what to do where it does not. */

/** Whose words explain how notifications are allowed again. */
export type Browser = "chrome" | "firefox" | "safari" | "ios" | "other";

/**
 * `insecure`: browsers have none without TLS. `not_installed`: iPhones have them only for an installed page. The other
 * three are the browser's permission.
 */
export type Support = "insecure" | "not_installed" | "unsupported" | NotificationPermission;

export interface Environment {
  isSecure: boolean;
  isInstalled: boolean;
  browser: Browser;
  /** Undefined where the browser has no notifications. */
  permission: NotificationPermission | undefined;
}

export function supportIn({ isSecure, isInstalled, browser, permission }: Environment): Support {
  if (!isSecure) return "insecure";
  // An iPad that calls itself a Mac has no notifications either, until the page is installed.
  if (permission === undefined) return browser === "ios" && !isInstalled ? "not_installed" : "unsupported";
  return permission;
}

/** @param touchPoints tells an iPad from the Mac that it calls itself */
export function browserOf(userAgent: string, touchPoints: number): Browser {
  if (/iPhone|iPad|iPod/.test(userAgent) || /Macintosh/.test(userAgent) && touchPoints > 1) return "ios";
  if (/Firefox\//.test(userAgent)) return "firefox";
  if (/Chrom(e|ium)\//.test(userAgent)) return "chrome"; // Edge, Opera and others say so too
  return /Safari\//.test(userAgent) ? "safari" : "other";
}

/** What this page finds around it now. */
export function environment(): Environment {
  return {
    isSecure: isSecureContext,
    isInstalled: matchMedia("(display-mode: standalone)").matches,
    browser: browserOf(navigator.userAgent, navigator.maxTouchPoints),
    permission: "Notification" in globalThis ? Notification.permission : undefined,
  };
}
