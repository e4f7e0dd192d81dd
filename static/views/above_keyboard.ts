/** Pixels that more than a keyboard's absence hides: bars of the browser come and go too. */
const KEYBOARD_HEIGHT = 80;

/**
 * Keeps the page above a keyboard that covers it. Most browsers make the window lower, as index.html asks for with
 * `interactive-widget`; Safari on phones only says what can still be seen, and scrolls the page under it.
 */
export function stayAboveKeyboard(page: HTMLElement, viewport: VisualViewport | null = visualViewport): void {
  viewport?.addEventListener("resize", fit);
  viewport?.addEventListener("scroll", fit);
  fit(); // it may have come before this

  function fit() {
    if (!viewport) return;
    // Whoever has zoomed in sees a part of the page anyway.
    const isCovered = viewport.scale < 1.01 && innerHeight - viewport.height > KEYBOARD_HEIGHT;
    const height = isCovered ? `${viewport.height}px` : "";
    if (page.style.height !== height) page.style.height = height;
    if (isCovered) scrollTo(0, 0);
  }
}
