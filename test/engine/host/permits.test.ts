import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Permits } from '#src/engine/host/permits.js';

const permitsModule = new URL('../../../dist/engine/host/permits.js', import.meta.url).href;

/** A thread that takes a permit a thousand times and counts how many hold one meanwhile. */
const script = `
  const { workerData } = require('node:worker_threads');
  import(${JSON.stringify(permitsModule)}).then(({ Permits }) => {
    const { memory, counts } = workerData;
    const permits = new Permits(memory);
    for (let round = 0; round < 1000; round += 1) {
      permits.acquire(() => {});
      const inside = Atomics.add(counts, 0, 1) + 1;
      if (inside > Atomics.load(counts, 1)) Atomics.store(counts, 1, inside);
      for (let spin = 0; spin < 200; spin += 1) Math.sqrt(spin);
      Atomics.sub(counts, 0, 1);
      Atomics.add(counts, 2, 1);
      permits.release();
    }
  });
`;

describe('Permits', () => {
  it('are never held by more threads than there are permits', async () => {
    const memory = Permits.memoryFor(2);
    const counts = new Int32Array(new SharedArrayBuffer(12));
    const threads = Array.from({ length: 4 }, () => new Worker(script, { eval: true, workerData: { memory, counts } }));
    onTestFinished(async () => {
      await Promise.all(threads.map((thread) => thread.terminate()));
    });
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('exit', resolve))));
    const [inside = 0, most = 0, rounds] = counts;
    expect([inside, rounds, memory[0]]).toEqual([0, 4000, 2]);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('end the wait with what the check throws', () => {
    const permits = new Permits(Permits.memoryFor(1));
    const refuse = () => {
      throw new Error('stopped');
    };
    permits.acquire(refuse);
    expect(() => permits.acquire(refuse)).toThrow('stopped');
    permits.release();
    permits.acquire(refuse);
  });
});
