import type { CommandBase, Document } from "../../chat/entries/kind.ts";
import type { Entry } from "../../chat/protocol.ts";
import type { AppendResult, RoomRecord, RoomView, Rulebook, StoredEntry, Write } from "../../chat/rulebook.ts";
import { NEW_ROOM } from "../../chat/rulebook.ts";
import type { Command } from "../../chat/storage.ts";
import type { StoredMessage } from "../shared/page.ts";
import { placeOf, type RecordReply, type Row, toFixed, toRecord, toStored, toTemplate } from "./codec.ts";

type Decided = ReturnType<Rulebook["append"]>;

/** What a command was answered. Fewer of them than commands: the next one was decided upon what is no more. */
type Outcome =
  | ["kept", seq: number, date: number]
  | ["checked"]
  | ["repeated", first: string, row: Row | null];
/** The message that a command is about: its entry and document, the version of that, and keys in the order asked for. */
type FactsReply = [row: Row | null, version: string, keys: (string | null)[]] | null;
export type RoomReply = [
  outcomes: Outcome[],
  record: RecordReply,
  locked: string,
  open: FactsReply[],
];

/** A message as it was when Redis last told of it, or as commands under way will have left it. */
interface Facts {
  entry?: StoredEntry;
  document?: Document;
  /** As Redis compares it; `none` where there is no such entry. */
  version: string;
  keys: Map<string, unknown>;
}

/**
 * Commands for one room on their way into Redis. They are decided here, upon what is known here, and done there if that is
 * still so; else the answer has what is so, and they are decided again. A plain message depends on nothing but
 * whether the room is locked, so that servers which write at the same time don't keep each other from it.
 */
export class RoomAppend {
  readonly room: string;
  readonly results: (AppendResult | undefined)[];
  readonly #commands: readonly Command[];
  readonly #rules: Rulebook;
  #isLocked: boolean;
  #record: RoomRecord = { ...NEW_ROOM };
  readonly #facts = new Map<number, Facts>();
  /** By command, what stands under its idempotency key and need not be remembered any more. */
  readonly #forgotten = new Map<number, string>();
  /** What was last asked for: commands by their number, and what was decided. */
  #asked: { at: number; decided: Decided | undefined }[] = [];

  constructor(room: string, commands: readonly Command[], rules: Rulebook, isLocked: boolean) {
    this.room = room;
    this.results = commands.map(() => undefined);
    this.#commands = commands;
    this.#rules = rules;
    this.#isLocked = isLocked;
  }

  get isDone(): boolean {
    return !this.results.includes(undefined);
  }

  /** Whether the room is locked, as far as this process knows. */
  get isLocked(): boolean {
    return this.#isLocked;
  }

  /** Decides what is not done yet. @returns the room's argument of `append` */
  decide(now: number): string {
    const left = this.results.flatMap((result, at) => result === undefined ? [at] : []);
    const changed = new Map<number, Facts & { by: number }>();
    this.#asked = [];
    const record = { ...this.#record, locked: this.#isLocked };
    const commands = left.map((at, index) => {
      const command: Asked = this.#commands[at];
      const { target } = command;
      const number = index + 1;
      const earlier = target === undefined ? undefined : changed.get(target);
      const facts = target === undefined ? undefined : earlier ?? this.#facts.get(target);
      const mayDecide = target === undefined || facts !== undefined;
      let decided = mayDecide
        ? this.#rules.append(command, this.#view(record, facts), now, placeOf(number))
        : undefined;
      if (earlier && isUnknown(decided?.write, number)) decided = undefined;
      if (decided?.write) record.messages = decided.write.entry.ordinal;
      this.#asked.push({ at, decided });
      const expected = earlier ? `@${earlier.by}` : facts?.version;
      if (decided?.write?.change) changed.set(target!, { ...changedBy(facts!, decided.write), by: number });
      return this.#toSend(at, number, expected, decided);
    });
    return JSON.stringify({ room: JSON.stringify(this.room), locked: this.#isLocked ? "1" : "0", commands });
  }

  /** Takes the answer. @returns what was kept, to be told */
  take([outcomes, record, locked, open]: RoomReply, now: number): Entry[] {
    this.#isLocked = locked === "1";
    this.#record = toRecord(record, this.#isLocked);
    const told: Entry[] = [];
    for (const [number, outcome] of outcomes.entries()) {
      const { at, decided } = this.#asked[number];
      if (outcome[0] === "repeated") this.#repeated(at, outcome[1], outcome[2], now);
      else if (outcome[0] === "checked") this.results[at] = decided!.result;
      else {
        const [, seq, date] = outcome;
        const { entry } = decided!.result as { entry: Entry };
        this.results[at] = { entry: { ...entry, seq, date }, repeated: false };
        told.push({ ...entry, seq, date });
      }
      this.#facts.delete((this.#commands[at] as CommandBase).target ?? 0);
    }
    for (const [number, facts] of open.entries()) {
      const command: CommandBase = this.#commands[this.#asked[outcomes.length + number].at];
      if (command.target !== undefined) this.#facts.set(command.target, this.#toFacts(command, facts!));
    }
    return told;
  }

  #view(record: RoomRecord, facts: Facts | undefined): RoomView {
    return {
      record,
      // Redis finds it.
      first: () => undefined,
      at: () => facts?.entry,
      document: () => facts?.document,
      key: (_, name) => facts?.keys.get(name),
    };
  }

  /** Strings, lists of strings and booleans: what Redis only keeps is JSON already. */
  #toSend(at: number, number: number, expected: string | undefined, decided: Decided | undefined) {
    const command: Asked = this.#commands[at];
    const { entry, begins, change } = decided?.write ?? {};
    return {
      key: this.#rules.keyOf(command),
      forgotten: this.#forgotten.get(at),
      isUndecided: !decided,
      target: command.target?.toString(),
      expected,
      entry: entry && toFixed(entry),
      begins: json(begins),
      document: change?.document && toTemplate(change.document, number),
      shows: change?.isShown,
      erases: change?.isErased,
      erasable: json(entry?.erasable),
      reads: this.#rules.keysOf(command),
      writes: Object.entries(change?.keys ?? {}).map(([name, value]) => [name, value === null ? "" : json(value)]),
    };
  }

  #repeated(at: number, first: string, row: Row | null, now: number): void {
    const command = this.#commands[at];
    const { entry, document }: Partial<StoredMessage> = row ? toStored(row) : {};
    const known = this.#rules.remembered(entry, this.#record, now);
    if (!known) return void this.#forgotten.set(at, first);
    const view = { record: this.#record, document: () => document };
    this.results[at] = { entry: this.#rules.repeated(command, known, view, now), repeated: true };
  }

  #toFacts(command: CommandBase, [row, version, keys]: Exclude<FactsReply, null>): Facts {
    if (!row) return { version: "none", keys: new Map() };
    const names = this.#rules.documentKeys(command);
    const known = this.#facts.get(command.target!)?.keys ?? new Map<string, unknown>();
    for (const [at, name] of names.entries()) known.set(name, keys[at] ? JSON.parse(keys[at]) : undefined);
    const { entry, document } = toStored(row);
    // What is about another message has no document of its own.
    return { entry, document: entry.target === undefined ? document : undefined, version, keys: known };
  }
}

/** Whether a command keeps, outside of a document, what only Redis will know of an earlier one of the same call. */
function isUnknown(write: Write | undefined, number: number): boolean {
  const kept = write && [write.entry.fixed, write.entry.erasable, write.change?.keys];
  return kept !== undefined && toTemplate(kept, number) !== JSON.stringify(kept);
}

function changedBy(facts: Facts, { change }: Write): Facts {
  const keys = new Map(change!.isErased ? [] : facts.keys);
  for (const [name, value] of Object.entries(change!.keys)) keys.set(name, value ?? undefined);
  return { ...facts, document: change!.document ?? facts.document, keys };
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
