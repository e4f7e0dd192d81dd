/**
 * A finger that draws a message aside answers it: towards the end of the line, to the right in left-to-right writing.
 * The browser keeps what goes up and down for itself, as `touch-action` says in answers.css.
 */
import { element } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";

/** Pixels that the message follows the finger at most, and from which letting go answers it. */
const FARTHEST = 72;
const ENOUGH = 48;
/** Pixels before it is a drag and no tap, and how much more it must go aside than up or down. */
const BEGINS = 10;
const SIDEWAYS = 1.5;
/** Pixels at the window's edges that belong to the system's own gestures. */
const EDGE = 24;
/** What has its own use for a drag, or is no message. */
const OWN_DRAGS = "pre, textarea, input, .editor, .question";

export interface SwipeOptions {
  log: HTMLElement;
  /** Whether a message can be answered now. */
  isAnswerable(message: HTMLElement): boolean;
  answer(message: HTMLElement): void;
}

interface Drag {
  readonly pointer: number;
  readonly message: HTMLElement;
  readonly x: number;
  readonly y: number;
  /** 1 where lines end on the right, otherwise -1. */
  readonly forward: 1 | -1;
  /** Whether the finger has gone aside, and not up or down. */
  isDrag: boolean;
  distance: number;
}

export function answerBySwipe({ log, isAnswerable, answer }: SwipeOptions): void {
  const sign = element("span", { className: "swipe-sign", ariaHidden: "true" }, icon("answer"));
  let drag: Drag | null = null;

  log.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    if (!event.isPrimary) return end(); // two fingers zoom
    const target = event.target as Element;
    const message = target.closest<HTMLElement>(".message");
    const isAtEdge = event.clientX < EDGE || event.clientX > innerWidth - EDGE;
    if (!message || isAtEdge || target.closest(OWN_DRAGS) || !getSelection()?.isCollapsed) return;
    if (!isAnswerable(message)) return;
    const forward = getComputedStyle(message).direction === "rtl" ? -1 : 1;
    const { pointerId: pointer, clientX: x, clientY: y } = event;
    drag = { pointer, message, x, y, forward, isDrag: false, distance: 0 };
  });
  log.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const along = (event.clientX - drag.x) * drag.forward;
    if (!drag.isDrag) {
      const across = Math.abs(event.clientY - drag.y);
      if (Math.abs(along) < BEGINS && across < BEGINS) return;
      if (along < across * SIDEWAYS) return end();
      drag.isDrag = true;
      drag.message.classList.add("swiped");
      drag.message.append(sign);
    }
    drag.distance = Math.min(FARTHEST, Math.max(0, along));
    drag.message.style.setProperty("--swipe", `${drag.distance * drag.forward}px`);
    drag.message.classList.toggle("far", drag.distance >= ENOUGH);
  });
  log.addEventListener("pointerup", (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const { message, isDrag, distance } = drag;
    end();
    if (!isDrag) return;
    // The tap that some browsers make of it would show the message's buttons, or go to what it quotes.
    const stop = (click: Event) => click.stopPropagation();
    message.addEventListener("click", stop, { capture: true, once: true });
    setTimeout(() => message.removeEventListener("click", stop, { capture: true }));
    if (distance >= ENOUGH) answer(message);
  });
  // The browser has begun to scroll, or the finger has left the window.
  log.addEventListener("pointercancel", end);

  function end() {
    if (!drag) return;
    drag.message.classList.remove("swiped", "far");
    drag.message.style.removeProperty("--swipe");
    sign.remove();
    drag = null;
  }
}
