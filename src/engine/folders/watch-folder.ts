import { stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { isPictureName } from './folder.js';

export interface WatchOptions {
  /** A folder whose files are left alone, such as that of the results. */
  excluded: string;
  /** How long a file must not have changed before it is taken for complete. */
  settleMs: number;
  signal: AbortSignal;
}

/**
 * The pictures of a folder and its sub-folders: those that are there already, then each one as it comes or changes and
 * has stopped growing; until the signal aborts. Hidden files are left out. Errors: those of the file system.
 */
export async function* watchFolder(folder: string, options: WatchOptions): AsyncGenerator<string> {
  const { signal } = options;
  const files = new SettlingFiles(options.settleMs);
  const watcher = open(folder, options.excluded);
  watcher.on('add', (path) => files.changed(path)).on('change', (path) => files.changed(path));
  watcher.on('error', (error) => files.fail(error));
  const onAbort = () => files.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const next = await files.next();
      if (next === null) break;
      yield next;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    files.close();
    await watcher.close();
  }
}

function open(folder: string, excluded: string): FSWatcher {
  const [root, outside] = [resolve(folder), resolve(excluded)];
  const isHidden = (path: string) => /[/\\]\.[^/\\]/.test(path.slice(root.length));
  const isOutside = (path: string) => path === outside || path.startsWith(outside + sep);
  return watch(root, { ignored: (path) => isHidden(path) || isOutside(path) });
}

/**
 * Files on their way: one that has not changed for a while is complete. The watcher's own way to wait holds for files that
 * come later only, and a program that is started again finds half a copy among those that are there.
 */
class SettlingFiles {
  readonly #settleMs: number;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #settled: string[] = [];
  #wake = () => {};
  #isClosed = false;
  #failure: unknown = null;

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  changed(path: string): void {
    if (isPictureName(path)) void this.#look(path);
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#wake();
  }

  /** The next complete file; null when it is over. */
  async next(): Promise<string | null> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      if (this.#isClosed) return null;
      const path = this.#settled.shift();
      if (path !== undefined) return path;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#wake();
  }

  /** Takes a file that has rested long enough, looks again later at any other; one that is gone is forgotten. */
  async #look(path: string): Promise<void> {
    clearTimeout(this.#timers.get(path));
    this.#timers.delete(path);
    const found = await stat(path).catch(() => null);
    if (!found || this.#isClosed || this.#timers.has(path)) return;
    const leftMs = Math.max(found.mtimeMs, found.ctimeMs) + this.#settleMs - Date.now();
    if (leftMs > 0) {
      this.#timers.set(
        path,
        setTimeout(() => void this.#look(path), Math.min(leftMs, this.#settleMs) + 5),
      );
      return;
    }
    if (!this.#settled.includes(path)) this.#settled.push(path);
    this.#wake();
  }
}
