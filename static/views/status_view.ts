import { closeText, type Locale, refusalText } from "../i18n/locale.ts";
import { find, setProperties, setText } from "../lib/dom.ts";
import { refusalOf, type State } from "../state.ts";

/** The state of the connection as a text. The seconds until the next try are shown, and not announced one by one. */
export function createStatusView(locale: Locale, retryNow: () => void): { render(state: State): void } {
  const { strings } = locale;
  const connection = find("connection", HTMLElement);
  const status = find("status", HTMLElement);
  const countdown = find("countdown", HTMLElement);
  const tryNow = find("try-now", HTMLButtonElement);
  let timer: ReturnType<typeof setTimeout> | undefined;

  tryNow.onclick = retryNow;

  function render(state: State) {
    const { status: now, online } = state;
    clearTimeout(timer);
    setProperties(connection.dataset, { kind: now.kind });
    connection.classList.toggle("store-fails", state.storeFails);
    setText(status, textFor(state));
    const stopped = now.kind === "stopped" || now.kind === "signed_out";
    setText(tryNow, stopped ? strings.tryAgain : strings.tryNow);
    setProperties(tryNow, { hidden: !stopped && (now.kind !== "waiting" || !online) });
    if (now.kind === "waiting" && online) {
      count(now.until, now.refusal ? strings.tryingAgainIn : strings.reconnectingIn);
    } else setText(countdown, "");
  }

  function textFor(state: State): string {
    const { status: now, online } = state;
    if (now.kind === "connected") return state.storeFails ? strings.storeFails : strings.connected;
    if (now.kind === "signed_out") return strings.signInFirst;
    if (now.kind === "stopped") return closeText(strings, now.code);
    if (!online) return strings.offline;
    const refusal = refusalOf(state);
    if (refusal) return refusalText(strings.refusalSummaries, refusal);
    return now.kind === "connecting" && !now.again ? strings.connecting : strings.reconnecting;
  }

  function count(until: number, toText: (seconds: number) => string) {
    const left = until - Date.now();
    setText(countdown, left > 0 ? toText(Math.ceil(left / 1_000)) : "");
    if (left > 0) timer = setTimeout(() => count(until, toText), left % 1_000 + 1);
  }

  return { render };
}
