import type { InitialData } from "../../chat/protocol.ts";

/** What the server has put into the page; null if nothing, or if something on the way has changed it. */
export function readInitialData(): InitialData | null {
  try {
    const data: InitialData | null = JSON.parse(document.getElementById("initial-data")?.textContent ?? "null");
    return typeof data?.session.user === "string" ? data : null;
  } catch {
    return null;
  }
}
