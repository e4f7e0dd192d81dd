import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../chat/clock.ts";
import { IN_MEMORY, keepToOwner } from "../shared/data_file.ts";
import { renewIndex } from "./search/terms_version.ts";

/** How long a write waits for somebody else who is writing, milliseconds. */
export const BUSY_TIMEOUT = 3_000;
/** Marks a file as ours ("PRLY"), so that another program's database is not taken for a chat. */
const APPLICATION = 0x50524c59;

/** What leads from each version of the schema to the next. Only ever add to it: files of every age are out there. */
const MIGRATIONS = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES ('epoch', lower(hex(randomblob(16))));

  -- head: the last seq given, kept by itself so that nothing lowers it. date: of the newest entry.
  -- floor: entries up to here have expired.
  CREATE TABLE rooms (
    room INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL,
    date INTEGER NOT NULL,
    floor INTEGER NOT NULL
  );

  -- kind: 0 message, 1 edit, 2 deletion. name: the author's at that time. text: the newest, NULL once it is gone.
  -- edited: when. An expired row whose id must still be remembered stays without its text.
  CREATE TABLE entries (
    room INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    user TEXT NOT NULL,
    name TEXT,
    text TEXT,
    date INTEGER NOT NULL,
    id TEXT,
    target INTEGER,
    edited INTEGER,
    PRIMARY KEY (room, seq)
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX entries_by_id ON entries (room, user, kind, id) WHERE id IS NOT NULL;
  CREATE INDEX edits_by_target ON entries (room, target) WHERE kind = 1;

  CREATE TABLE names (
    key TEXT PRIMARY KEY,
    user TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    chosen INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  ALTER TABLE rooms ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE rooms ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE rooms ADD COLUMN slow_seconds INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE bans (
    user TEXT PRIMARY KEY,
    date INTEGER NOT NULL,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL,
    address TEXT
  ) WITHOUT ROWID;
  `,
  `
  -- Of the edits of a message only the newest has the text, which all of them show: an edit changes two rows, not all.
  UPDATE entries SET text = NULL WHERE kind = 1 AND seq < (
    SELECT max(seq) FROM entries AS newest
    WHERE newest.room = entries.room AND newest.target = entries.target AND newest.kind = 1
  );
  CREATE INDEX messages ON entries (room, seq) WHERE kind = 0;
  `,
  `
  -- messages: how many the room has had. epoch: of this room alone, where it has one.
  ALTER TABLE rooms ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE rooms ADD COLUMN epoch TEXT;

  CREATE TABLE actions (action INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  INSERT INTO actions VALUES (0, 'receive_message'), (1, 'message_edited'), (2, 'message_deleted');

  -- What never changes of an entry, and beside it what is gone with its message. ordinal: how many messages the room had
  -- had by then. fixed, erasable: what else its kind keeps, as JSON. document: the present state of a message; NULL when
  -- it has expired. shown_by: the last entry that shows the document, which goes with it; NULL for what is no message.
  CREATE TABLE stored (
    room INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    date INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    action INTEGER NOT NULL,
    user TEXT NOT NULL,
    id TEXT,
    target INTEGER,
    fixed TEXT,
    erasable TEXT,
    document TEXT,
    shown_by INTEGER,
    PRIMARY KEY (room, seq)
  ) WITHOUT ROWID;

  -- Keys that belong to a message's document.
  CREATE TABLE document_keys (
    room INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (room, seq, name)
  ) WITHOUT ROWID;

  -- An edit that is held longer than its message shows the words that stand in the edit: there they need a message.
  INSERT OR IGNORE INTO entries (room, seq, kind, user, name, date)
    SELECT edit.room, edit.target, 0, edit.user, '', 0 FROM entries AS edit
    WHERE edit.kind = 1 AND edit.text IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM entries WHERE room = edit.room AND seq = edit.target);
  INSERT INTO stored
    SELECT entries.room, entries.seq, entries.date,
      sum(entries.kind = 0) OVER (PARTITION BY entries.room ORDER BY entries.seq),
      entries.kind, entries.user, entries.id, entries.target,
      CASE WHEN entries.kind = 0 THEN json_object('from', entries.name) END,
      NULL,
      CASE
        WHEN entries.kind <> 0 THEN NULL
        WHEN coalesce(entries.text, edit.text) IS NOT NULL
          THEN json_patch('{}', json_object('text', coalesce(entries.text, edit.text), 'edited', entries.edited))
        WHEN entries.seq > rooms.floor
          THEN json_patch('{"deleted":true}', json_object('edited', entries.edited))
      END,
      CASE WHEN entries.kind = 0 THEN max(entries.seq, coalesce(edit.seq, 0)) END
    FROM entries JOIN rooms ON rooms.room = entries.room
    LEFT JOIN entries AS edit ON entries.kind = 0 AND edit.room = entries.room AND edit.kind = 1 AND edit.seq = (
      SELECT max(seq) FROM entries AS newest
      WHERE newest.room = entries.room AND newest.target = entries.seq AND newest.kind = 1
    );
  UPDATE rooms SET messages = coalesce((SELECT max(ordinal) FROM stored WHERE stored.room = rooms.room), 0);
  DROP TABLE entries;
  ALTER TABLE stored RENAME TO entries;
  CREATE UNIQUE INDEX entries_by_id ON entries (room, user, action, id) WHERE id IS NOT NULL;
  CREATE INDEX messages ON entries (room, seq, ordinal) WHERE shown_by IS NOT NULL;
  CREATE INDEX erasable_by_target ON entries (room, target) WHERE erasable IS NOT NULL;
  `,
  `
  -- answers: the message that this one answers, until this one is deleted.
  ALTER TABLE entries ADD COLUMN answers INTEGER;
  CREATE INDEX answers ON entries (room, answers, seq) WHERE answers IS NOT NULL;
  `,
  `
  -- unindexed: messages up to here are not in the index of words yet. They are added in the background, newest first.
  ALTER TABLE rooms ADD COLUMN unindexed INTEGER NOT NULL DEFAULT 0;
  UPDATE rooms SET unindexed = head;
  CREATE INDEX rooms_to_index ON rooms (date) WHERE unindexed > 0;

  -- Which messages have a term; rowid is room * 2^32 + seq. Our own code makes the terms (chat/search/terms.ts), and the
  -- documents show what is true. secure-delete: a term that is taken out is overwritten, and not only marked.
  -- automerge: FTS5 would merge what it has written within a commit, for some 50 ms: IndexKeeper does it in small steps.
  CREATE VIRTUAL TABLE words USING fts5(terms, content='', columnsize=0, detail=none, tokenize='ascii');
  INSERT INTO words (words, rank) VALUES ('secure-delete', 1), ('automerge', 0), ('crisismerge', 200);
  -- Terms of a message that it has no more, and the index still has.
  CREATE TABLE words_to_remove (
    room INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    terms TEXT NOT NULL,
    PRIMARY KEY (room, seq)
  ) WITHOUT ROWID;
  `,
];

/**
 * Opens a database file, makes it where there is none, and brings its schema up to date.
 * @param synchronous FULL: what is committed outlives a power cut. NORMAL: only the end of the process, and saves a
 * wait.
 * @throws {Error} one sentence that says what is wrong with the file
 */
function openFile(path: string, synchronous: "FULL" | "NORMAL", actions: readonly string[]): DatabaseSync {
  let file: DatabaseSync | undefined;
  try {
    if (!iteratesAgain()) throw new Error(`${path} needs Deno 2.6 or newer: an older one finds nothing in it.`);
    keepToOwner(path);
    // No busy timeout: waiting inside SQLite would stop the whole loop.
    file = new DatabaseSync(path, { timeout: 0 });
    // Deleted text is overwritten, not just let go.
    file.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA secure_delete = ON`);
    file.exec("BEGIN IMMEDIATE");
    migrate(file, path);
    file.exec("COMMIT; BEGIN IMMEDIATE");
    renewIndex(file);
    const addAction = file.prepare("INSERT OR IGNORE INTO actions (name) VALUES (?)");
    for (const action of actions) addAction.run(action);
    file.exec("COMMIT");
    return file;
  } catch (error) {
    file?.close();
    throw explain(error as Error, path);
  }
}

/** Another process may just be writing: it is given as long to finish as while the server runs. */
export async function openWhenFree(
  path: string,
  synchronous: "FULL" | "NORMAL",
  actions: readonly string[],
  clock: Clock,
): Promise<DatabaseSync> {
  const pause = 50;
  for (let waited = 0;; waited += pause) {
    try {
      return openFile(path, synchronous, actions);
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (waited >= BUSY_TIMEOUT) throw new Error(`${path} is locked by another process. Stop it first.`);
    }
    await new Promise<void>((resolve) => clock.after(pause, resolve));
  }
}

/** Whether a statement can be iterated over more than once, which before Deno 2.6 brings no rows: no history at all. */
function iteratesAgain(): boolean {
  const memory = new DatabaseSync(IN_MEMORY);
  const statement = memory.prepare("SELECT 1");
  const [, again] = [[...statement.iterate()], [...statement.iterate()]];
  memory.close();
  return again.length === 1;
}

/** Whether an error of SQLite only says that somebody else is writing. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /database (table )?is locked/.test(error.message);
}

function migrate(file: DatabaseSync, path: string): void {
  const { user_version: version } = file.prepare("PRAGMA user_version").get() as { user_version: number };
  const { application_id: application } = file.prepare("PRAGMA application_id").get() as { application_id: number };
  const { tables } = file.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() as { tables: number };
  if (application !== APPLICATION && (tables > 0 || version > 0)) {
    throw new Error(`${path} is another program's database. Name another file.`);
  }
  if (version > MIGRATIONS.length) {
    throw new Error(`${path} was written by a newer Parley (schema ${version}, this one knows ${MIGRATIONS.length}).`);
  }
  for (const migration of MIGRATIONS.slice(version)) file.exec(migration);
  file.exec(`PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${MIGRATIONS.length}`);
}

function explain(error: Error, path: string): Error {
  if (isBusy(error)) return error;
  if (/not a database|malformed/.test(error.message)) return new Error(`${path} is not a database, or a broken one.`);
  if (/readonly/.test(error.message)) return new Error(`${path} is read-only. Make it and its folder writable.`);
  if (/unable to open/.test(error.message)) {
    return new Error(`${path} can't be opened. Is it a folder, or out of reach?`);
  }
  return error.message.startsWith(path) ? error : new Error(`${path} can't be used: ${error.message}.`);
}
