/** A long press offers reactions to a message, or lists who gave the one that is pressed. */

/** Milliseconds. A browser that selects a word, or opens the menu of a link, has done so by then. */
const LONG = 600;
/** Pixels that a finger may move. */
const STILL = 10;

export function createLongPress(log: HTMLElement): void {
  let cancel = () => {};

  log.addEventListener("pointerdown", (event) => {
    cancel();
    if (event.pointerType === "mouse" || !event.isPrimary) return;
    const target = event.target as Element;
    const message = target.closest<HTMLElement>(".message");
    if (!message || target.closest("a, .tools, .editor, .question, .offer")) return;
    const ended = new AbortController();
    const { signal } = ended;
    const timer = setTimeout(() => {
      cancel();
      // What the browser does with a long press goes first.
      if (getSelection()?.isCollapsed === false) return;
      swallowClick();
      press(message, target.closest<HTMLElement>(".chip"));
    }, LONG);
    cancel = () => {
      clearTimeout(timer);
      ended.abort();
    };
    const moved = ({ clientX, clientY }: PointerEvent) => {
      if (Math.hypot(clientX - event.clientX, clientY - event.clientY) > STILL) cancel();
    };
    document.addEventListener("pointermove", moved, { signal });
    for (const end of ["pointerup", "pointercancel", "contextmenu"]) {
      document.addEventListener(end, cancel, { signal, capture: true });
    }
  });
}

function press(message: HTMLElement, chip: HTMLElement | null) {
  if (chip) return chip.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true }));
  message.focus({ preventScroll: true });
  message.querySelector<HTMLElement>(".tools .react")?.click();
}

/** The finger that pressed is lifted later, and has not clicked. */
function swallowClick() {
  const swallow = (event: Event) => {
    if (!event.isTrusted) return; // a script's own
    event.preventDefault();
    event.stopPropagation();
    end();
  };
  const end = () => {
    document.removeEventListener("click", swallow, { capture: true });
    document.removeEventListener("pointerdown", end, { capture: true });
  };
  document.addEventListener("click", swallow, { capture: true });
  document.addEventListener("pointerdown", end, { capture: true });
}
