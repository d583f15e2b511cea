import { finished, type Readable } from 'node:stream';

/** The body of an answer, read from the moment that it arrives. */
export interface EagerBody {
  /** Every chunk that came, then the failure if there was one. */
  chunks(): AsyncGenerator<Buffer>;
  destroy(): void;
}

/** What may wait in memory for the disk. */
const maxWaiting = 4 << 20;

/** A stream that is cut forgets what nobody has taken yet, and on a bad line that can be all that came: this takes it at once. */
export function readEagerly(source: Readable): EagerBody {
  const waiting: Buffer[] = [];
  let bytes = 0;
  let end: { error: unknown } | null = null;
  let wake = () => {};
  source.on('data', (chunk: Buffer) => {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes > maxWaiting) source.pause();
    wake();
  });
  finished(source, (error) => {
    end = { error };
    wake();
  });
  const woken = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  async function* chunks(): AsyncGenerator<Buffer> {
    while (waiting.length > 0 || !end) {
      for (const chunk of waiting.splice(0)) yield chunk;
      bytes = 0;
      source.resume();
      if (!end && waiting.length === 0) await woken();
    }
    if (end.error) throw end.error;
  }
  return { chunks, destroy: () => source.destroy() };
}
