import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '#src/engine/config.js';
import { createEngine } from '#src/engine/engine.js';
import type { Case, Measurement } from '../bench.js';
import { noop, noopRunner } from '../noop.js';

const jobs = 1_000;

async function oneAfterAnother(): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const runner = noopRunner(4);
  const engine = await createEngine(readConfig({ DARKROOM_DATA: folder }), { operations: [noop], runner });
  runner.open();
  const waits: number[] = [];
  let completed = 0;
  for (let job = 0; job < jobs; job += 1) {
    const { job: accepted } = await engine.submit({ operation: 'no-op', owner: 'bench', params: {}, inputs: [] });
    const begun = performance.now();
    for await (const state of engine.watch(accepted.id)) if (state.state === 'completed') completed += 1;
    waits.push(performance.now() - begun);
  }
  await engine.close(0);
  await rm(folder, { recursive: true });
  waits.sort((a, b) => a - b);
  const at = (share: number) => waits[Math.floor(share * waits.length)] ?? Number.NaN;
  return { value: at(0.5), check: `${completed} completed`, more: { p95: at(0.95), p99: at(0.99) } };
}

export default {
  name: 'queue-latency',
  question: 'Milliseconds from an accepted no-op job to its end, median of 1,000, one after another',
  unit: 'ms',
  variants: { engine: oneAfterAnother },
  rounds: 4,
  mustAgree: true,
  target: { text: 'p50 ≤ 5 ms', holds: (ms) => ms <= 5 },
} satisfies Case;
