/** What is reached in the log by key and by touch. */

/** A message that a key leads to. */
export type Goal = "oldest" | "newest" | "before" | "after";

const GOALS: Record<string, Goal> = { ArrowUp: "before", ArrowDown: "after", Home: "oldest", End: "newest" };

export interface LogKeysOptions {
  log: HTMLElement;
  list: HTMLElement;
  /** Brings the message into the page, where there is one. Before and after are those beside what is there. */
  bring(goal: Goal): void;
  leave(): void;
}

/** Arrow keys, Home and End move the focus over the messages. Only the focused one has buttons that Tab reaches. */
export function createLogKeys({ log, list, bring, leave }: LogKeysOptions): void {
  log.addEventListener("keydown", moveByKey);
  list.addEventListener("click", showTools);
  list.addEventListener("focusin", (event) => reachTools(event, 0));
  list.addEventListener("focusout", (event) => reachTools(event, -1));

  function moveByKey(event: KeyboardEvent) {
    const target = event.target as HTMLElement;
    if (target !== log && target.parentElement !== list) return;
    if (event.key === "Escape") return leave();
    const key = GOALS[event.key];
    if (!key || event.altKey || event.ctrlKey || event.metaKey) return;
    const goal = target !== log ? key : key === "before" ? "newest" : key === "after" ? "oldest" : key;
    const item = goal === "oldest" || goal === "newest" ? outermost(goal) : neighbour(target, goal);
    if (!item) return;
    event.preventDefault();
    item.focus();
  }

  const items = () => [...list.querySelectorAll<HTMLElement>(".message, .muted")];

  function outermost(goal: "oldest" | "newest"): HTMLElement | undefined {
    bring(goal);
    return items().at(goal === "oldest" ? 0 : -1);
  }

  function neighbour(target: HTMLElement, goal: "before" | "after"): HTMLElement | undefined {
    const step = goal === "before" ? -1 : 1;
    const next = (all: HTMLElement[]): HTMLElement | undefined => all[all.indexOf(target) + step];
    const found = next(items());
    if (found) return found;
    bring(goal);
    return next(items());
  }

  /** On a touch screen nothing hovers: touching a message shows its buttons. */
  function showTools(event: Event) {
    const target = event.target as HTMLElement;
    const message = target.closest<HTMLElement>(".message");
    if (message && !target.closest("a, button, textarea") && getSelection()?.isCollapsed) {
      message.focus({ preventScroll: true });
    }
  }

  /** Only the buttons of the focused message are reachable by Tab, since there may be hundreds of messages. */
  function reachTools(event: Event, tabIndex: number) {
    const line = (event.target as HTMLElement).closest(".message, .muted");
    const tools = line?.querySelectorAll<HTMLElement>(".author, .tools button, .code button, :scope > button");
    for (const tool of tools ?? []) tool.tabIndex = tabIndex;
  }
}
