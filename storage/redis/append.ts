import type { CommandBase, Document } from "../../chat/entries/kind.ts";
import type { Entry } from "../../chat/protocol.ts";
import {
  about,
  type AppendResult,
  type Decided,
  type DocumentChange,
  NEW_ROOM,
  type RoomRecord,
  type RoomView,
  type Rulebook,
  type StoredEntry,
} from "../../chat/rulebook.ts";
import type { Command } from "../../chat/storage.ts";
import type { StoredMessage } from "../shared/page.ts";
import {
  placeOf,
  type RecordReply,
  type Row,
  toDocumentKey,
  toFixed,
  toRecord,
  toStored,
  toTemplate,
} from "./codec.ts";

/** The result of a command. If there are fewer outcomes than commands, what the next command depends on has changed. */
type Outcome =
  | ["kept", seq: number, date: number]
  | ["checked"]
  | ["repeated", first: string, row: Row | null];
/**
 * The message that a command depends on: its entry and document, the document's version, the keys and the lists asked
 * for in order. There is no version if there is no such entry, no row if an earlier command's reply has it, and nothing
 * in a list that an earlier command's reply has.
 */
type FactsReply = [row: Row | null, version?: string, keys?: (string | null)[], lists?: string[][]] | null;
export type RoomReply = [outcomes: Outcome[], record: RecordReply, locked: string, facts: FactsReply[]];

/** A message as Redis had it in its last reply, or as earlier commands of the call will have left it. */
interface Facts {
  entry?: StoredEntry;
  document?: Document;
  /** As Redis compares it; `none` where there is no such entry, `@N` after the Nth command of the call. */
  version: string;
  keys: Map<string, unknown>;
  /** Beginnings of keys: `keys` has all that there are. */
  lists: Set<string>;
}

interface Waiting {
  command: CommandBase;
  /** The lists that the last call asked for. */
  lists?: readonly string[];
  result?: AppendResult;
  /** The value of its idempotency key in Redis, if that key may be used again. */
  forgotten?: string;
  /** The latest decision; undefined: Redis has to tell more first. */
  decided?: Decided | undefined;
}

/**
 * Commands for one room. They are decided here by what this process knows. Redis stores them if that is still true.
 * Otherwise its reply has what is true, and they are decided again. A message depends only on whether the room is
 * locked, so servers that write at the same time don't hold each other up.
 */
export class RoomAppend {
  readonly room: string;
  readonly #rules: Rulebook;
  readonly #all: readonly Waiting[];
  /** Those that the last call was about. */
  #open: readonly Waiting[] = [];
  #record: RoomRecord;
  readonly #facts = new Map<number, Facts>();

  /** @param locked whether the room is locked, as far as this process knows */
  constructor(room: string, commands: readonly Command[], rules: Rulebook, locked: boolean) {
    this.room = room;
    this.#rules = rules;
    this.#all = commands.map((command) => ({ command }));
    this.#record = { ...NEW_ROOM, locked };
  }

  /** In the order of the commands; undefined where there is no result yet. */
  get results(): (AppendResult | undefined)[] {
    return this.#all.map(({ result }) => result);
  }

  get isDone(): boolean {
    return this.#all.every(({ result }) => result);
  }

  /** Whether one of these is the room's first entry. */
  get hasBegun(): boolean {
    return this.#all.some(({ result }) => result && "entry" in result && result.entry.seq === 1 && !result.repeated);
  }

  /** Decides what is not done yet. @returns the room's argument of `append` */
  decide(now: number): string {
    const record = { ...this.#record };
    const facts = new Map(this.#facts);
    this.#open = this.#all.filter(({ result }) => !result);
    const commands = this.#open.map((waiting, at) => {
      const { command, forgotten } = waiting;
      const seq = about(command);
      const number = at + 1;
      const message = seq === undefined ? undefined : facts.get(seq);
      const lists = waiting.lists = message?.document ? this.#rules.documentLists(command, message.document) : [];
      const decided = waiting.decided = this.#decide(waiting, message, record, number, now);
      const { entry, begins, answers, change } = decided?.write ?? {};
      if (entry) record.messages = entry.ordinal;
      if (change) facts.set(change.seq, changedBy(message!, change, number));
      // What Redis stores and does not look at is JSON already.
      return {
        key: this.#rules.idempotencyKey(command),
        forgotten,
        isUndecided: !decided,
        about: seq?.toString(),
        target: command.target?.toString(),
        expected: message?.version,
        entry: entry && toFixed(entry),
        messages: entry ? undefined : record.messages,
        begins: json(begins),
        answers: answers?.toString(),
        answered: change?.answered?.toString(),
        document: change?.document && toTemplate(change.document, number),
        shows: change?.keepsDocument,
        erases: change?.isErased,
        erasable: json(entry?.erasable),
        reads: this.#rules.documentKeys(command),
        lists,
        writes: Object.entries(change?.keys ?? {}).map(([name, value]) => [name, value === null ? "" : json(value)]),
      };
    });
    return JSON.stringify({ room: JSON.stringify(this.room), locked: record.locked ? "1" : "0", commands });
  }

  /** Takes the reply. @returns the new entries, for subscribers */
  take([outcomes, record, locked, open]: RoomReply, now: number): Entry[] {
    this.#record = toRecord(record, locked === "1");
    this.#facts.clear();
    const told: Entry[] = [];
    for (const [at, outcome] of outcomes.entries()) {
      const waiting = this.#open[at];
      const { decided } = waiting;
      if (outcome[0] === "repeated") this.#repeated(waiting, outcome[1], outcome[2], now);
      else if (outcome[0] === "checked") waiting.result = decided!.result;
      else {
        const [, seq, date] = outcome;
        const result = decided!.result as { entry: Entry; repeated: false };
        waiting.result = { ...result, entry: { ...result.entry, seq, date } };
        told.push({ ...result.entry, seq, date });
      }
    }
    for (const [at, facts] of open.entries()) if (facts) this.#learn(this.#open[outcomes.length + at], facts);
    return told;
  }

  /** @returns undefined where it can't be decided before Redis has told more */
  #decide({ command, lists }: Waiting, facts: Facts | undefined, record: RoomRecord, number: number, now: number) {
    // Its message has to be known, and the document keys that its kind reads.
    if (about(command) !== undefined && !facts) return undefined;
    if (facts?.entry && !this.#rules.documentKeys(command).every((name) => facts.keys.has(name))) return undefined;
    if (!lists!.every((prefix) => facts?.lists.has(prefix))) return undefined;
    const view: RoomView = {
      record,
      // Redis finds it.
      first: () => undefined,
      at: () => facts?.entry,
      document: () => facts?.document,
      key: (_, name) => facts?.keys.get(name),
      list: (_, prefix) =>
        facts?.keys.entries().filter(([name, value]) => value !== undefined && name.startsWith(prefix)) ?? [],
    };
    const decided = this.#rules.append(command, view, now, placeOf(number));
    const isChanged = facts?.version.startsWith("@");
    return isChanged && hasUnknown(decided, number) ? undefined : decided;
  }

  #repeated(waiting: Waiting, first: string, row: Row | null, now: number): void {
    const { command } = waiting;
    const { entry, document }: Partial<StoredMessage> = row ? toStored(row) : {};
    const known = this.#rules.remembered(entry, this.#record, now);
    if (!known) return void (waiting.forgotten = first);
    const view = { record: this.#record, document: () => document };
    waiting.result = { entry: this.#rules.repeated(command, known, view, now), repeated: true };
  }

  #learn({ command, lists }: Waiting, [row, version, values, listed]: FactsReply & object): void {
    const seq = about(command)!;
    if (row || version === undefined) {
      const { entry, document }: Partial<StoredMessage> = row ? toStored(row) : {};
      // An entry about a message has no document of its own: the row has that of its message.
      const own = entry?.target === undefined ? document : undefined;
      this.#facts.set(seq, { entry, document: own, version: version ?? "none", keys: new Map(), lists: new Set() });
    }
    const known = this.#facts.get(seq)!;
    for (const [at, name] of this.#rules.documentKeys(command).entries()) {
      const value = values?.[at];
      known.keys.set(name, value ? JSON.parse(value) : undefined);
    }
    for (const [at, prefix] of lists!.entries()) {
      for (const key of listed?.[at] ?? []) known.keys.set(...toDocumentKey(key));
      known.lists.add(prefix);
    }
  }
}

/** Whether an entry has, outside of the document, a place or date of an earlier command, which only Redis will know. */
function hasUnknown({ result, write }: Decided, number: number): boolean {
  if (!write?.change || !("entry" in result)) return false;
  const told = [{ ...result.entry, seq: 0, date: 0 }, write.change.keys];
  return toTemplate(told, number) !== JSON.stringify(told);
}

function changedBy(facts: Facts, change: DocumentChange, number: number): Facts {
  const keys = new Map(change.isErased ? [] : facts.keys);
  for (const [name, value] of Object.entries(change.keys)) keys.set(name, value ?? undefined);
  const lists = change.isErased ? new Set<string>() : facts.lists;
  return { ...facts, document: change.document ?? facts.document, version: `@${number}`, keys, lists };
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
