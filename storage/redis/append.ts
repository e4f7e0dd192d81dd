import type { CommandBase, Document } from "../../chat/entries/kind.ts";
import type { Entry } from "../../chat/protocol.ts";
import type { AppendResult, RoomRecord, RoomView, Rulebook, StoredEntry, Write } from "../../chat/rulebook.ts";
import { NEW_ROOM } from "../../chat/rulebook.ts";
import type { Command } from "../../chat/storage.ts";
import { PLACE, type RecordReply, remembered, type Row, toFixed, toRecord, toStored } from "./codec.ts";

/** What is known of a room's settings: their version, and whether it is locked. */
export interface KnownSettings {
  version: string;
  locked: boolean;
}
export const UNCHANGED: KnownSettings = { version: "0", locked: false };

/** What a command was answered. Fewer of them than commands: the next one was decided upon what is no more. */
type Outcome =
  | ["kept", seq: string, date: string, ordinal: string]
  | ["checked"]
  | ["repeated", first: string, row: Row | null];
/** The message that a command is about: its entry and document, the version of that, and keys in the order asked for. */
type FactsReply = [row: Row | null, version: string, keys: (string | null)[]] | null;
export type RoomReply = [
  outcomes: Outcome[],
  record: RecordReply,
  settingsVersion: string,
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
 * still so; else the answer has what is so, and they are decided again. A plain message depends on nothing but the room's
 * settings, so that servers which write at the same time don't keep each other from it.
 */
export class RoomAppend {
  readonly room: string;
  readonly results: (AppendResult | undefined)[];
  readonly #commands: readonly Command[];
  readonly #rules: Rulebook;
  #settings: KnownSettings;
  #record: RoomRecord = { ...NEW_ROOM };
  readonly #facts = new Map<number, Facts>();
  /** By command, what stands under its idempotency key and need not be remembered any more. */
  readonly #forgotten = new Map<number, string>();
  /** What was last asked for: commands by their number, and what was decided. */
  #asked: { at: number; decided?: ReturnType<Rulebook["append"]> }[] = [];

  constructor(room: string, commands: readonly Command[], rules: Rulebook, settings: KnownSettings) {
    this.room = room;
    this.results = commands.map(() => undefined);
    this.#commands = commands;
    this.#rules = rules;
    this.#settings = settings;
  }

  get isDone(): boolean {
    return !this.results.includes(undefined);
  }

  /** What is known of the room's settings now. */
  get settings(): KnownSettings {
    return this.#settings;
  }

  /** Decides what is not done yet. @returns the room's argument of `append` */
  decide(now: number): string {
    const left = this.results.flatMap((result, at) => result === undefined ? [at] : []);
    const changed = new Map<number, Facts & { by: number }>();
    this.#asked = [];
    const record = { ...this.#record, locked: this.#settings.locked };
    const commands = left.map((at, number) => {
      const command: Asked = this.#commands[at];
      const { target } = command;
      const facts = target === undefined ? undefined : changed.get(target) ?? this.#facts.get(target);
      const isKnown = target === undefined || facts !== undefined;
      const decided = isKnown ? this.#rules.append(command, this.#view(record, facts), now, PLACE) : undefined;
      if (decided?.write) record.messages = decided.write.entry.ordinal;
      this.#asked.push({ at, decided });
      const by = target === undefined ? undefined : changed.get(target)?.by;
      const expected = by === undefined ? facts?.version ?? "" : `@${by}`;
      if (decided?.write?.change) {
        changed.set(target!, { ...changedBy(facts!, decided.write), by: number + 1 });
      }
      return this.#toSend(at, expected, decided?.write, isKnown);
    });
    return JSON.stringify({ room: JSON.stringify(this.room), settings: this.#settings.version, commands });
  }

  /** Takes the answer. @returns what was kept, to be told */
  take([outcomes, record, version, locked, open]: RoomReply, now: number): Entry[] {
    this.#settings = { version, locked: locked === "1" };
    this.#record = toRecord(record, locked === "1");
    const told: Entry[] = [];
    for (const [number, outcome] of outcomes.entries()) {
      const { at, decided } = this.#asked[number];
      if (outcome[0] === "repeated") this.#repeated(at, outcome[1], outcome[2], now);
      else if (outcome[0] === "checked") this.results[at] = decided!.result;
      else {
        const [, seq, date] = outcome;
        const { entry } = decided!.result as { entry: Entry };
        this.results[at] = { entry: { ...entry, seq: Number(seq), date: Number(date) }, repeated: false };
        told.push({ ...entry, seq: Number(seq), date: Number(date) });
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
  #toSend(at: number, expected: string, write: Write | undefined, isKnown: boolean) {
    const command: Asked = this.#commands[at];
    const change = write?.change;
    return {
      key: this.#rules.keyOf(command),
      forgotten: this.#forgotten.get(at),
      isUndecided: !isKnown,
      target: command.target?.toString(),
      expected,
      entry: write && toFixed(write.entry),
      begins: json(write?.begins),
      document: json(change?.document),
      shows: change?.isShown,
      erases: change?.isErased,
      erasable: json(write?.entry.erasable),
      reads: this.#rules.keysOf(command),
      writes: Object.entries(change?.keys ?? {}).map(([name, value]) => [name, value === null ? "" : json(value)]),
    };
  }

  #repeated(at: number, first: string, row: Row | null, now: number): void {
    const command = this.#commands[at];
    const { entry, document } = row ? toStored(row) : { entry: remembered(first), document: undefined };
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

function changedBy(facts: Facts, { change }: Write): Facts {
  const keys = new Map(change!.isErased ? [] : facts.keys);
  for (const [name, value] of Object.entries(change!.keys)) keys.set(name, value ?? undefined);
  return { ...facts, document: change!.document ?? facts.document, keys };
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
