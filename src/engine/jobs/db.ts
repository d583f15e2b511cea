import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { EngineError } from '../errors.js';
import { migrate } from './migrations.js';

export type SqlValue = string | number | Buffer | null;
export type SqlParams = Record<string, SqlValue>;

/** How long opening waits for another process to let go of the file; once it is open nobody else can lock it. */
const busyTimeoutMs = 1_000;

/** The one connection to a database: a statement is prepared at its first use and kept. Parameters are named (`@id`). */
export class Db {
  readonly #connection: BetterSqlite3.Database;
  readonly #statements = new Map<string, BetterSqlite3.Statement<[SqlParams]>>();

  constructor(connection: BetterSqlite3.Database) {
    this.#connection = connection;
  }

  /** False after SQLite itself undid the transaction, as it does when the disk is full. */
  get inTransaction(): boolean {
    return this.#connection.inTransaction;
  }

  /** Every statement that was used so far. */
  get statements(): string[] {
    return [...this.#statements.keys()];
  }

  /** Runs a script of statements without parameters. */
  exec(script: string): void {
    this.#connection.exec(script);
  }

  /** Runs one statement; returns the number of rows that it changed. */
  run(sql: string, params: SqlParams = {}): number {
    return this.#prepare(sql).run(params).changes;
  }

  /** The first row of a statement, or undefined. */
  get<Row>(sql: string, params: SqlParams = {}): Row | undefined {
    return this.#prepare(sql).get(params) as Row | undefined;
  }

  /** All rows of a statement. */
  all<Row>(sql: string, params: SqlParams = {}): Row[] {
    return this.#prepare(sql).all(params) as Row[];
  }

  /** Does the work in one transaction: all of it is on disk when this returns, none of it when it throws. */
  transaction<T>(work: () => T): T {
    this.run('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.run('COMMIT');
      return value;
    } catch (error) {
      if (this.inTransaction) this.run('ROLLBACK');
      throw error;
    }
  }

  /** Does a part of a transaction's work, which is undone alone when it throws. */
  savepoint<T>(work: () => T): T {
    this.run('SAVEPOINT part');
    try {
      const value = work();
      this.run('RELEASE part');
      return value;
    } catch (error) {
      if (this.inTransaction) this.exec('ROLLBACK TO part; RELEASE part');
      throw error;
    }
  }

  /** What SQLite finds wrong with the file, in its words; empty if it is sound. Reads all of it. */
  findDamage(): string[] {
    try {
      const found = this.all<{ integrity_check: string }>('PRAGMA integrity_check').map((row) => row.integrity_check);
      return found.filter((line) => line !== 'ok');
    } catch (error) {
      if (isSqliteError(error, 'SQLITE_CORRUPT')) return [error.message];
      throw error;
    }
  }

  /**
   * Closes; a second call does nothing. SQLite moves the log into the file and removes it, or, when the disk is full,
   * leaves it for the next opening.
   */
  close(): void {
    this.#connection.close();
  }

  #prepare(sql: string): BetterSqlite3.Statement<[SqlParams]> {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare<[SqlParams]>(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * The database at `path` with today's tables, for this process alone; `:memory:` is one that is gone when it is closed.
 * Errors: `busy` (another process has it open), `unsupported` (a newer version wrote it), `storage_full`, `internal`.
 */
export function openDatabase(path: string, now: () => number = Date.now): Db {
  const isFile = path !== ':memory:';
  if (isFile) mkdirSync(dirname(path), { recursive: true });
  let connection: BetterSqlite3.Database | undefined;
  try {
    connection = new BetterSqlite3(path, { timeout: busyTimeoutMs });
    configure(connection);
    const db = new Db(connection);
    migrate(db, now);
    return db;
  } catch (error) {
    connection?.close();
    throw explainOpening(error, path);
  }
}

/** A failure of the database as an EngineError: a full disk is `storage_full`; anything else is returned as it came. */
export function explainWriting(error: unknown): unknown {
  if (!isSqliteError(error, 'SQLITE_FULL')) return error;
  return new EngineError('storage_full', 'The disk that holds the job database is full', { cause: error });
}

function configure(connection: BetterSqlite3.Database): void {
  // Before WAL: the index of the log then lives in this process's memory and the file stays locked until it is closed,
  // so a second server on the same folder is refused instead of recovering jobs that are running here.
  connection.pragma('locking_mode = EXCLUSIVE');
  connection.pragma('journal_mode = WAL');
  // better-sqlite3 is compiled with NORMAL for WAL: a commit would then not survive a power cut.
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
}

function explainOpening(error: unknown, path: string): unknown {
  if (isSqliteError(error, 'SQLITE_BUSY')) {
    const message = `Another Darkroom is using ${dirname(path)}: stop it, or set DARKROOM_DATA to another folder`;
    return new EngineError('busy', message, { cause: error });
  }
  if (isSqliteError(error, 'SQLITE_NOTADB') || isSqliteError(error, 'SQLITE_CORRUPT')) {
    const message = `Expected ${path} to be a sound SQLite database; it is damaged: restore it from a backup or move it away`;
    return new EngineError('internal', message, { cause: error });
  }
  if (isSqliteError(error, 'SQLITE_CANTOPEN') || isSqliteError(error, 'SQLITE_READONLY')) {
    const message = `Expected ${path} to be a file that can be written; check its permissions and those of its folder`;
    return new EngineError('internal', message, { cause: error });
  }
  return explainWriting(error);
}

/** Whether this is SQLite's error `code` or one of its extended codes (`SQLITE_CANTOPEN_ISDIR` and the like). */
function isSqliteError(error: unknown, code: string): error is Error {
  return error instanceof BetterSqlite3.SqliteError && (error.code === code || error.code.startsWith(`${code}_`));
}
