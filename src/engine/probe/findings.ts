import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const records = z.record(z.string(), z.object({ key: z.string(), at: z.number(), value: z.unknown() }));

/**
 * What was found out about this machine, kept in a JSON file: a finding holds as long as the facts it was made under
 * (`key`) are the same. A file that is missing or broken is as good as an empty one. Null keeps nothing.
 */
export class Findings {
  readonly #path: string | null;
  readonly #now: () => number;

  constructor(path: string | null, now: () => number = Date.now) {
    this.#path = path;
    this.#now = now;
  }

  /** The finding of this name if it was made under these facts, passes the schema and is not older than `maxAgeMs`. */
  find<Value>(name: string, facts: unknown, { schema, maxAgeMs = Infinity }: FindOptions<Value>): Value | null {
    const record = this.#read()[name];
    if (!record || record.key !== JSON.stringify(facts) || this.#now() - record.at > maxAgeMs) return null;
    return schema.safeParse(record.value).data ?? null;
  }

  keep(name: string, facts: unknown, value: unknown): void {
    if (this.#path === null) return;
    const kept = { ...this.#read(), [name]: { key: JSON.stringify(facts), at: this.#now(), value } };
    const temporary = `${this.#path}.${process.pid}`;
    try {
      writeFileSync(temporary, `${JSON.stringify(kept, null, 2)}\n`);
      renameSync(temporary, this.#path);
    } catch {
      // Without a place to keep them, findings are made again at the next start.
    }
  }

  #read(): z.output<typeof records> {
    if (this.#path === null) return {};
    try {
      return records.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return {};
    }
  }
}

interface FindOptions<Value> {
  schema: z.ZodType<Value>;
  maxAgeMs?: number;
}
