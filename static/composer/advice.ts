import { element } from "../lib/dom.ts";

/** A sentence beside the composer about what is in it, and what can be done about that. */
export interface Advice {
  /** @param over is called when it goes because of something else */
  show(text: string, buttons?: readonly HTMLButtonElement[], over?: () => void): void;
  clear(): void;
}

/** Shows one sentence at a time above a field. It is announced. */
export function createAdvice(field: HTMLElement): Advice {
  const place = element("p", { id: "advice", role: "status", dir: "auto" });
  let over: (() => void) | undefined;

  // In the order of the page before the field, so that Shift+Tab leads from there to its buttons.
  field.before(place);

  return {
    show(text, buttons = [], whenOver) {
      over?.();
      over = whenOver;
      place.replaceChildren(text, ...buttons.flatMap((one) => [" ", one]));
    },
    clear() {
      const ended = over;
      over = undefined;
      ended?.();
      place.replaceChildren();
    },
  };
}
