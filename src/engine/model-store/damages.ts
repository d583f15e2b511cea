import { statSync } from 'node:fs';
import type { ModelEntry } from '../../models/lockfile.js';
import { realPathOf, weightPath } from '../../models/files/weights.js';
import { checkFile } from './contents.js';
import { difference, digestsOf } from './digests.js';

/** Larger networks are read as a whole only where they are loaded: this process stays small. */
const maxLookedInto = 128_000_000;

interface Found {
  /** How the files looked when they were read: with another look the finding is void. */
  look: string;
  problem: string;
}

/** Which models have files that are not those of their entries, as far as they have been read. */
export class Damages {
  readonly #folder: string;
  readonly #found = new Map<string, Found>();
  readonly #stop = new AbortController();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What was found wrong with the files of a model as they are now, in a sentence's part; null if nothing was. */
  of(entry: ModelEntry): string | null {
    const found = this.#found.get(entry.id);
    if (!found) return null;
    if (found.look === this.#lookOf(entry)) return found.problem;
    this.#found.delete(entry.id);
    return null;
  }

  /**
   * Reads the files of models one after the other, in small pieces. `hearsay` is what a load said: it counts for a model
   * that it names and whose digests are right. Never rejects.
   */
  async look(entries: readonly ModelEntry[], hearsay = ''): Promise<void> {
    for (const entry of entries) {
      const look = this.#lookOf(entry);
      const found = await this.#read(entry).catch((error: Error) => error.message);
      const problem = found ?? (hearsay.includes(`"${entry.id}"`) ? hearsay : null);
      if (this.#stop.signal.aborted) return;
      if (problem === null) this.#found.delete(entry.id);
      else this.#found.set(entry.id, { look, problem });
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  async #read(entry: ModelEntry): Promise<string | null> {
    for (const file of entry.files) {
      const path = await realPathOf(entry, file, this.#folder);
      const found = await digestsOf(path, this.#stop.signal);
      const problem = difference(file, found);
      if (problem !== null) return problem;
      if (found.bytes <= maxLookedInto) await checkFile(entry, file, path);
    }
    return null;
  }

  #lookOf(entry: ModelEntry): string {
    const looks = entry.files.map((file) => {
      const found = statSync(weightPath(entry, file, this.#folder), { throwIfNoEntry: false });
      return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : '';
    });
    return looks.join();
  }
}
