import { type Db, explainWriting } from './db.js';

/** Writes that one transaction takes at most, so that a flood of them does not hold up the event loop for long. */
const largestGroup = 256;

interface Write {
  /** Does the work; the function that comes back tells the caller, once it is committed. */
  work(): () => void;
  reject(error: unknown): void;
}

/**
 * One commit for all writes of a turn of the event loop. A commit at `synchronous=FULL` waits for the disk, and does so
 * on the thread that serves requests: fifty requests that arrive together should cost one such wait, not fifty.
 */
export class GroupCommit {
  readonly #db: Db;
  #waiting: Write[] = [];

  constructor(db: Db) {
    this.#db = db;
  }

  /**
   * Does synchronous work on the database with the other writes of this turn. Settles after the commit; if the work
   * throws, it alone is undone. Errors: what the work throws; `storage_full` for the whole group.
   */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#enqueue({
        work: () => {
          const value = work();
          return () => resolve(value);
        },
        reject: (error) => reject(explainWriting(error)),
      });
    });
  }

  /** Commits what is waiting, now. */
  flush(): void {
    while (this.#waiting.length > 0) this.#commitGroup();
  }

  #enqueue(write: Write): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#turn());
    this.#waiting.push(write);
  }

  #turn(): void {
    if (this.#waiting.length > 0) this.#commitGroup();
    if (this.#waiting.length > 0) setImmediate(() => this.#turn());
  }

  #commitGroup(): void {
    const group = this.#waiting.splice(0, largestGroup);
    let settle: (() => void)[];
    try {
      settle = this.#db.transaction(() => group.map((write) => this.#apart(write)));
    } catch (error) {
      settle = group.map((write) => () => write.reject(error));
    }
    for (const tell of settle) tell();
  }

  /** One write under its own savepoint: what it throws is its own, unless the whole transaction is lost with it. */
  #apart(write: Write): () => void {
    try {
      return this.#db.savepoint(() => write.work());
    } catch (error) {
      if (!this.#db.inTransaction) throw error;
      return () => write.reject(error);
    }
  }
}
