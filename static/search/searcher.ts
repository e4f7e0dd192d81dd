/** What is searched for, and what has been found so far. It knows no page. */
import { changed } from "../../chat/entries/kinds.ts";
import { type Entry, PAGE_SIZE_LIMIT, type ReceiveMessage } from "../../chat/protocol.ts";
import { parseQuery, type SearchQuery } from "../../chat/search/query.ts";
import { type Clock, Timers } from "../../client/clock.ts";

/** Results of one answer. */
export const PAGE = 25;
/** Answers with nothing in them after which it goes on by itself; then the reader decides. */
const BY_ITSELF = 5;

export interface Wanted {
  readonly room: string;
  /** As it was typed. */
  readonly text: string;
  /** The person whose messages are wanted; null: anyone's. */
  readonly user: string | null;
  /** Only what was said before this, in milliseconds since 1970; null: all. */
  readonly until: number | null;
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export interface Findings {
  /** What was asked for last. */
  readonly wanted: Wanted | null;
  /** Null where that has too little, or too much, to search for; `refusal` says which. */
  readonly query: SearchQuery | null;
  /** `waiting`: somebody may still be typing. */
  readonly phase: "idle" | "waiting" | "searching" | "failed" | "done";
  /** Why it failed, or why there is no query. "offline": no answer came. */
  readonly refusal: Refusal | "offline" | null;
  /** The newest first, as they are now. */
  readonly found: readonly ReceiveMessage[];
  /** It was found for what was asked for before. */
  readonly outdated: boolean;
  /** Not everything has been looked at. */
  readonly more: boolean;
  /** The date of the oldest message that was looked at, where it took more than one answer to find something. */
  readonly back: number | null;
}

export interface SearcherOptions {
  /** Asks the server. Rejects where no answer comes. */
  read(path: string): Promise<{ status: number; body: unknown }>;
  /** The first message of a date or later, in the room that is read; null: all are older. Rejects if it can't be told. */
  findByDate(date: number): Promise<number | null>;
  clock: Clock;
  changed(findings: Findings): void;
}

interface Page {
  readonly seq: number;
  readonly messages: readonly ReceiveMessage[];
  readonly more: boolean;
  readonly before?: number;
}

const NOTHING: Findings = {
  wanted: null,
  query: null,
  phase: "idle",
  refusal: null,
  found: [],
  outdated: false,
  more: false,
  back: null,
};

/** Searches in a room. Of several searches the last one counts, in whatever order their answers come. */
export class Searcher {
  readonly #options: SearcherOptions;
  readonly #timers: Timers<"search">;
  #findings = NOTHING;
  /** The search that is under way; what another one still brings is ignored. */
  #own = Symbol();
  /** Results that the next answer may have. */
  #limit = PAGE;
  /** Where the next answer goes on. */
  #before: number | undefined;
  /** What arrived while an answer was under way, which may be of a moment before. */
  #arrived: Entry[] = [];

  constructor(options: SearcherOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
  }

  get findings(): Findings {
    return this.#findings;
  }

  /** Searches for this after a pause in milliseconds, unless something else is wanted by then. */
  ask(wanted: Wanted, pause: number): void {
    const before = this.#findings;
    let query: SearchQuery;
    try {
      query = parseQuery(wanted.text);
    } catch (error) {
      const { code, message } = error as Refusal;
      return void this.#begin({ ...NOTHING, wanted, refusal: { code, message } });
    }
    const isSame = before.wanted !== null && JSON.stringify([query, wanted.room, wanted.user, wanted.until]) ===
        JSON.stringify([before.query, before.wanted.room, before.wanted.user, before.wanted.until]);
    if (isSame && before.phase !== "failed" && (before.phase !== "waiting" || pause > 0)) return;
    this.#limit = PAGE;
    this.#begin({ ...before, wanted, query, phase: "waiting", refusal: null, outdated: true });
    if (pause === 0) this.#search();
    else this.#timers.set("search", pause, () => this.#search());
  }

  /** Searches once more for what was asked for. */
  again(): void {
    if (!this.#findings.query) return;
    // No less than the reader has loaded, as far as one answer goes.
    this.#limit = Math.min(Math.max(this.#findings.found.length, PAGE), PAGE_SIZE_LIMIT);
    this.#begin({ ...this.#findings, phase: "waiting", refusal: null });
    this.#search();
  }

  /** Finds older ones. */
  async further(): Promise<void> {
    const { more, phase } = this.#findings;
    if (!more || phase === "waiting" || phase === "searching") return;
    await this.#load(this.#begin({ ...this.#findings, phase: "waiting", refusal: null }));
  }

  /** Goes on where it failed. */
  retry(): void {
    if (this.#findings.more) this.further();
    else this.again();
  }

  /** Changes what is found as the room's messages change. */
  arrived(entries: readonly Entry[]): void {
    const { wanted, phase } = this.#findings;
    const own = entries.filter(({ room }) => room === wanted?.room);
    if (phase === "searching") this.#arrived.push(...own);
    const found = own.reduce(withWords, this.#findings.found);
    if (found !== this.#findings.found) this.#change({ found });
  }

  clear(): void {
    this.#begin(NOTHING);
  }

  /** Whatever is under way no longer counts. */
  #begin(findings: Findings): symbol {
    this.#timers.cancel("search");
    this.#own = Symbol();
    this.#arrived = [];
    this.#findings = findings;
    this.#options.changed(findings);
    return this.#own;
  }

  #change(change: Partial<Findings>): void {
    this.#findings = { ...this.#findings, ...change };
    this.#options.changed(this.#findings);
  }

  async #search(): Promise<void> {
    const own = this.#own;
    const { until } = this.#findings.wanted!;
    this.#change({ phase: "searching" });
    try {
      const before = until === null ? null : await this.#options.findByDate(until);
      if (own !== this.#own) return;
      this.#before = before ?? undefined;
    } catch {
      if (own === this.#own) this.#failed(null, true);
      return;
    }
    await this.#load(own, true);
  }

  /** @param isFirst what was found before is something else */
  async #load(own: symbol, isFirst = false): Promise<void> {
    this.#change({ phase: "searching" });
    let earlier = isFirst ? [] : this.#findings.found;
    for (let answers = 1;; answers++) {
      const { status, body } = await this.#options.read(this.#path()).catch(() => ({ status: 0, body: null }));
      if (own !== this.#own) return;
      const page = pageOf(status, body);
      if (!page) return this.#failed(body, isFirst && answers === 1);
      this.#before = page.before;
      this.#limit = PAGE;
      const now = this.#arrived.filter(({ seq }) => seq > page.seq).reduce(withWords, page.messages);
      const found = [...earlier, ...now.toReversed()];
      const isDone = now.length > 0 || !page.more || answers === BY_ITSELF;
      // Of the answers before only the first can have been about something else.
      this.#change({
        found,
        outdated: false,
        more: page.more,
        ...(answers === 1 && { back: null }),
        ...(isDone && { phase: "done" }),
      });
      if (now.length === 0 && page.more) await this.#lookBack(own);
      if (isDone || own !== this.#own) return;
      earlier = this.#findings.found as ReceiveMessage[];
    }
  }

  /** Finds out how far back has been searched. */
  async #lookBack(own: symbol): Promise<void> {
    const { room } = this.#findings.wanted!;
    const path = `/api/rooms/${encodeURIComponent(room)}/messages?after=${this.#before! - 1}&limit=1`;
    const { body } = await this.#options.read(path).catch(() => ({ body: null }));
    const date = Object(body).messages?.[0]?.date;
    if (own === this.#own && typeof date === "number") this.#change({ back: date });
  }

  /**
   * If that was too fast, it goes on by itself.
   * @param isFirst what was found before is something else
   */
  #failed(body: unknown, isFirst: boolean): void {
    const { code, detail, retry_after: wait } = Object(body);
    const refusal = typeof code === "string" ? { code, message: String(detail) } : "offline";
    this.#change({ phase: "failed", refusal, ...(isFirst && { found: [], outdated: false, more: false, back: null }) });
    if (code === "rate_limited") {
      this.#timers.set("search", Math.max(1, Number(wait) || 0) * 1_000, () => this.retry());
    }
  }

  #path(): string {
    const { room, text, user } = this.#findings.wanted!;
    const query = new URLSearchParams({ q: text.toWellFormed(), limit: String(this.#limit) });
    if (user !== null) query.set("user", user);
    if (this.#before !== undefined) query.set("before", String(this.#before));
    return `/api/rooms/${encodeURIComponent(room)}/search?${query}`;
  }
}

/** The messages with the words that one of them has after an entry. What else changes in it is not shown. */
function withWords(messages: readonly ReceiveMessage[], entry: Entry): readonly ReceiveMessage[] {
  if (!("target" in entry)) return messages;
  const index = messages.findIndex(({ seq }) => seq === entry.target);
  // A deleted message stays deleted: an edit that a resume brings may be older than that.
  if (index < 0 || messages[index].deleted) return messages;
  const next = changed(messages[index], entry);
  return next.text === messages[index].text ? messages : messages.with(index, next);
}

function pageOf(status: number, body: unknown): Page | null {
  return status === 200 && Array.isArray(Object(body).messages) ? body as Page : null;
}
