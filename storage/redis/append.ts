import type { CommandBase, Document } from "../../chat/entries/kind.ts";
import type { Entry } from "../../chat/protocol.ts";
import {
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
import { placeOf, type RecordReply, type Row, toFixed, toRecord, toStored, toTemplate } from "./codec.ts";

/** The result of a command. If there are fewer outcomes than commands, what the next command depends on has changed. */
type Outcome =
  | ["kept", seq: number, date: number]
  | ["checked"]
  | ["repeated", first: string, row: Row | null];
/**
 * The message that a command is about: its entry and document, the document's version, and the keys asked for in order.
 */
type FactsReply = [row: Row | null, version: string, keys: (string | null)[]] | null;
export type RoomReply = [outcomes: Outcome[], record: RecordReply, locked: string, facts: FactsReply[]];

/** A message as Redis had it in its last reply, or as earlier commands of the call will have left it. */
interface Facts {
  entry?: StoredEntry;
  document?: Document;
  /** As Redis compares it; `none` where there is no such entry, `@N` after the Nth command of the call. */
  version: string;
  keys: Map<string, unknown>;
}

interface Waiting {
  command: CommandBase;
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
      const { target } = command;
      const number = at + 1;
      const message = target === undefined ? undefined : facts.get(target);
      const decided = waiting.decided = this.#decide(command, message, record, number, now);
      const { entry, begins, change } = decided?.write ?? {};
      if (entry) record.messages = entry.ordinal;
      if (change) facts.set(change.seq, changedBy(message!, change, number));
      // What Redis stores and does not look at is JSON already.
      return {
        key: this.#rules.idempotencyKey(command),
        forgotten,
        isUndecided: !decided,
        target: target?.toString(),
        expected: message?.version,
        entry: entry && toFixed(entry),
        messages: entry ? undefined : record.messages,
        begins: json(begins),
        document: change?.document && toTemplate(change.document, number),
        shows: change?.keepsDocument,
        erases: change?.isErased,
        erasable: json(entry?.erasable),
        reads: this.#rules.documentKeys(command),
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
        const { entry } = decided!.result as { entry: Entry };
        waiting.result = { entry: { ...entry, seq, date }, repeated: false };
        told.push({ ...entry, seq, date });
      }
    }
    for (const [at, facts] of open.entries()) {
      const { command } = this.#open[outcomes.length + at];
      if (facts) this.#facts.set(command.target!, this.#toFacts(command, facts));
    }
    return told;
  }

  /** @returns undefined where it can't be decided before Redis has told more */
  #decide(command: CommandBase, facts: Facts | undefined, record: RoomRecord, number: number, now: number) {
    // Its message has to be known, and the document keys that its kind reads.
    if (command.target !== undefined && !facts) return undefined;
    if (facts?.entry && !this.#rules.documentKeys(command).every((name) => facts.keys.has(name))) return undefined;
    const view: RoomView = {
      record,
      // Redis finds it.
      first: () => undefined,
      at: () => facts?.entry,
      document: () => facts?.document,
      key: (_, name) => facts?.keys.get(name),
      list: () => [],
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

  #toFacts(command: CommandBase, [row, version, values]: Exclude<FactsReply, null>): Facts {
    if (!row) return { version: "none", keys: new Map() };
    const keys = this.#facts.get(command.target!)?.keys ?? new Map<string, unknown>();
    for (const [at, name] of this.#rules.documentKeys(command).entries()) {
      keys.set(name, values[at] ? JSON.parse(values[at]) : undefined);
    }
    const { entry, document } = toStored(row);
    // An entry about a message has no document of its own: the row has that of its message.
    return { entry, document: entry.target === undefined ? document : undefined, version, keys };
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
  return { ...facts, document: change.document ?? facts.document, version: `@${number}`, keys };
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
