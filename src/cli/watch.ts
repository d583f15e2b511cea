import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import type { Engine } from '../engine/api.js';
import { type BatchOutcome, runBatch } from '../engine/folders/batch.js';
import { readConfig } from '../engine/config.js';
import { createEngine } from '../engine/engine.js';
import { EngineError } from '../engine/errors.js';
import { findOperation, parseParams } from '../engine/operations/index.js';
import type { Preset } from '../engine/submissions/presets.js';
import { watchFolder } from '../engine/folders/watch-folder.js';
import { presetOf } from './preset.js';

interface WatchCommandOptions {
  preset: string;
  settle: string;
  json: boolean;
}

/** `darkroom watch IN OUT --preset FILE`: one result for every picture that comes to lie in a folder, until it is stopped. */
export function watchCommand(): Command {
  return new Command('watch')
    .description('makes a result of every picture that is put into a folder, until it is stopped')
    .argument('<in>', 'folder to watch, with its sub-folders')
    .argument('<out>', 'folder for the results')
    .requiredOption('--preset <name>', 'what to do: the name of a preset, or the path of a .json file')
    .option('--settle <seconds>', 'how long a file must not have grown before it is taken for complete', '2')
    .option('--json', 'one JSON line for each file on standard output', false)
    .exitOverride()
    .action((from: string, to: string, options: WatchCommandOptions) => run(from, to, options));
}

async function run(from: string, to: string, options: WatchCommandOptions): Promise<void> {
  const preset = presetOf(options.preset);
  const settleMs = Number(options.settle) * 1000;
  if (!(settleMs >= 0 && settleMs <= 3_600_000)) {
    throw new EngineError('invalid_input', `Expected --settle to be 0 to 3600 seconds, got ${options.settle}`, {
      param: 'settle',
    });
  }
  await checkFolders(from, to);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const work = await mkdtemp(join(tmpdir(), 'darkroom-'));
  const engine = await createEngine(readConfig(), {
    database: ':memory:',
    readsPulledModels: false,
    workFolder: work,
    cacheFolder: join(homedir(), '.cache', 'darkroom'),
  });
  try {
    const { workers } = await engine.ready();
    console.error(`Watching ${from} for ${preset.operation} by "${preset.name}"; results go to ${to}. Ctrl-C stops.`);
    const files = watchFolder(from, { excluded: to, settleMs, signal: stop.signal });
    const job = { engine, preset, from, to, signal: stop.signal };
    await eachOf(files, workers + 2, async (source) => tell(await makeOne(source, job), options));
  } finally {
    await engine.close(0);
    await rm(work, { recursive: true, force: true });
  }
}

async function checkFolders(from: string, to: string): Promise<void> {
  const found = await stat(from).catch(() => null);
  if (!found?.isDirectory()) throw new EngineError('invalid_input', `${from} is no folder to watch`, { param: 'in' });
  if (resolve(from) === resolve(to)) {
    throw new EngineError('invalid_input', 'Expected another folder for the results than the one that is watched', {
      param: 'out',
    });
  }
  await mkdir(to, { recursive: true });
}

interface WatchJob {
  engine: Engine;
  preset: Preset;
  from: string;
  to: string;
  signal: AbortSignal;
}

/** The result keeps the whole name of its picture, so that a.jpg and a.png never meet; what is done already is passed over. */
async function makeOne(source: string, { engine, preset, from, to, signal }: WatchJob): Promise<BatchOutcome | null> {
  const operation = findOperation(preset.operation);
  if (!operation) return null;
  const target = join(to, `${relative(resolve(from), source)}.${formatOf(preset)}`);
  const request = { operation: operation.name, params: preset.params, concurrency: 1, force: false, signal };
  for await (const outcome of runBatch(engine, [{ source, target }], request)) return outcome;
  return null;
}

/** As the params say, or as they leave it. */
function formatOf({ operation: name, params }: Preset): string {
  const operation = findOperation(name);
  const steps = Array.isArray(params.steps) ? params.steps : [];
  const last = steps.at(-1) as { operation: string } | undefined;
  if (last && params.format === undefined) return formatOf({ name, operation: last.operation, params: { ...last } });
  const known: Record<string, unknown> = operation ? { ...parseParams(operation, params).params } : {};
  const format = String(known.format ?? known.output_format ?? 'png');
  return format === 'jpeg' ? 'jpg' : format;
}

/** Works on up to `limit` at a time. */
async function eachOf(
  items: AsyncIterable<string>,
  limit: number,
  work: (item: string) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  for await (const item of items) {
    const task = work(item).finally(() => running.delete(task));
    running.add(task);
    if (running.size >= limit) await Promise.race(running);
  }
  await Promise.all(running);
}

function tell(outcome: BatchOutcome | null, { json }: WatchCommandOptions): void {
  if (!outcome || outcome.state === 'skipped') return;
  const { source, target, state, ms, warnings, error } = outcome;
  if (json)
    console.log(
      JSON.stringify({
        file: source,
        output: error ? null : target,
        state,
        ms,
        warnings,
        error: error && { code: error.code, message: error.message },
      }),
    );
  else if (error) console.error(`${source}: ${error.message}`);
  else console.log(`${source} -> ${target} (${ms} ms)`);
}
