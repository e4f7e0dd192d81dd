/** Runs in the page before anything of its own, and only looks: what is seen stands in `parleyBench`. */
(() => {
  /** What has a message's words. If the page is changed, this may have to be changed too. */
  const MESSAGE = "#log .message .text";
  const seen = globalThis.parleyBench = {
    /** When a message could be seen, milliseconds after the navigation began; null: not yet. */
    firstMessage: null,
    /** Tasks of 50 ms and more: when each began, and how long it took, milliseconds. */
    longTasks: [],
  };

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) seen.longTasks.push({ startTime, duration });
  }).observe({ type: "longtask", buffered: true });

  /** Whether it is there for the eye: inside the window, with nothing before it, neither hidden nor clipped. */
  function isVisible(element) {
    const { left, top, width, height } = element.getBoundingClientRect();
    if (width === 0 || height === 0 || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) {
      return false;
    }
    const there = document.elementFromPoint(left + Math.min(width, 20) / 2, top + Math.min(height, 20) / 2);
    return there !== null && (element.contains(there) || there.contains(element) && there.closest(".message") !== null);
  }

  function look() {
    if (![...document.querySelectorAll(MESSAGE)].reverse().some(isVisible)) return requestAnimationFrame(look);
    // A task that is queued in a frame of the screen runs when that frame has been painted.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => seen.firstMessage = performance.now();
    port2.postMessage(null);
  }

  const observer = new MutationObserver(() => {
    if (document.querySelector(MESSAGE) === null) return;
    observer.disconnect();
    requestAnimationFrame(look);
  });
  observer.observe(document, { childList: true, subtree: true });

  /** Pixels between what a reader sees and the newest message. */
  globalThis.parleyBenchFromEnd = () => {
    let view = document.querySelector(MESSAGE);
    while (view.scrollHeight <= view.clientHeight || getComputedStyle(view).overflowY === "visible") {
      view = view.parentElement;
    }
    return view.scrollHeight - view.clientHeight - view.scrollTop;
  };
})();
