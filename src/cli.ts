#!/usr/bin/env node
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, extname, join, relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { SingleBar } from 'cli-progress';
import { Command, CommanderError, Option } from 'commander';
import { z } from 'zod';
import { doctorCommand } from './cli/doctor.js';
import { modelsCommand } from './cli/models.js';
import { presetOf } from './cli/preset.js';
import { watchCommand } from './cli/watch.js';
import type { Engine } from './engine/api.js';
import { type BatchOutcome, deliver, runBatch, runOne } from './engine/folders/batch.js';
import { ConfigError, readConfig } from './engine/config.js';
import { createEngine } from './engine/engine.js';
import { EngineError, toEngineError } from './engine/errors.js';
import { type BatchItem, planFolder } from './engine/folders/folder.js';
import { operations, parseParams } from './engine/operations/index.js';
import type { Operation } from './engine/operations/operation.js';
import { openReport, type Report } from './engine/folders/report.js';

/** The options every picture command has beside the params of its operation. */
interface PictureOptions extends Record<string, unknown> {
  output?: string;
  preset?: string;
  report?: string;
  doubtful?: string;
  force: boolean;
  json: boolean;
  quiet: boolean;
}

const usageError = 2;
const interrupted = 130;

/** The `darkroom` command: no server, no network, the same engine. */
function commandLine(): Command {
  const program = new Command('darkroom')
    .description('Cuts out, enlarges and repairs pictures on this machine, with no server and no network.')
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  for (const operation of operations) program.addCommand(pictureCommand(operation));
  program.addCommand(watchCommand());
  program.addCommand(modelsCommand());
  program.addCommand(doctorCommand());
  return program;
}

function pictureCommand(operation: Operation): Command {
  const command = new Command(operation.command)
    .description(operation.summary)
    .argument('<input...>', 'pictures or one folder; - reads standard input')
    .option(
      '-o, --output <path>',
      'file or folder for the result; - writes standard output (default: beside the input)',
    )
    .option('--preset <name>', 'params from a preset: a name, or the path of a .json file; options go before')
    .option('--force', 'do again what is already done', false)
    .option('--json', 'one JSON line for each file on standard output', false)
    .option('--quiet', 'no progress bar', false)
    .exitOverride()
    .action((inputs: string[], options: PictureOptions) => runPictures(operation, inputs, options));
  for (const option of [...pictureOptions(operation), ...paramOptions(operation)]) command.addOption(option);
  if (operation.judges) {
    command
      .option('--report <path>', 'write the verdict on every result to this .csv or .json')
      .option('--doubtful <folder>', 'put results that a person should look at into this folder instead');
  }
  return command;
}

/** The pictures that may go with each main one. */
function pictureOptions({ pictures }: Operation): Option[] {
  return pictures.slice(1).map(({ field, max = 1 }) => {
    const flag = `--${field.replaceAll('_', '-')}`;
    return max === 1
      ? new Option(`${flag} <path>`, `picture for \`${field}\``)
      : new Option(`${flag} <path...>`, `up to ${max} pictures for \`${field}\``);
  });
}

/** The params schema as options, so that the command line and HTTP can't differ. */
function paramOptions(operation: Operation): Option[] {
  const schema = z.toJSONSchema(operation.params, { io: 'output' });
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const { type, description = '', enum: choices, default: usual } = property as z.core.JSONSchema.JSONSchema;
    const flag = `--${name.replaceAll('_', '-')}`;
    const values = choices?.join(', ') ?? rangeOf(property as z.core.JSONSchema.JSONSchema);
    const text = values ? `${description} (${values})` : description;
    const shown = usual === undefined || usual === false ? text : `${text} (default: ${JSON.stringify(usual)})`;
    return new Option(type === 'boolean' ? flag : `${flag} <value>`, shown);
  });
}

function rangeOf({ minimum, maximum }: z.core.JSONSchema.JSONSchema): string {
  return minimum === undefined || maximum === undefined ? '' : `${minimum} to ${maximum}`;
}

async function runPictures(operation: Operation, inputs: string[], options: PictureOptions): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'darkroom-'));
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const engine = await createEngine(readConfig(), {
    database: ':memory:',
    readsPulledModels: false,
    workFolder: work,
    cacheFolder: join(homedir(), '.cache', 'darkroom'),
  });
  try {
    const { workers } = await engine.ready();
    const params = paramsOf(operation, options, inputs.length === 1 && !(await isFolder(inputs[0])));
    const { format = 'bin' }: Record<string, unknown> = { ...parseParams(operation, params).params };
    // Two more than run at the same time, so that no worker waits for a file to be read or written.
    const request = {
      operation: operation.name,
      params,
      pictures: picturesOf(operation, options),
      force: options.force,
      signal: stop.signal,
      concurrency: workers + 2,
    };
    if (inputs.includes('-')) return await runStandardInput(engine, options, request);
    const items = await plan(operation, inputs, options, String(format));
    const verdicts = options.report === undefined ? null : await openReport(options.report);
    const outcomes = runBatch(engine, items, { ...request, force: options.force || !(await isFolder(inputs[0])) });
    await report(outcomes, { total: items.length, options, verdicts }, stop.signal);
  } finally {
    await engine.close(0);
    await rm(work, { recursive: true, force: true });
  }
}

function picturesOf({ pictures }: Operation, options: PictureOptions): { field: string; path: string }[] {
  return pictures.slice(1).flatMap(({ field }) => {
    const paths = [options[camelCase(field)]].flat();
    return paths.flatMap((path) => (typeof path === 'string' ? [{ field, path }] : []));
  });
}

/** What was given on the command line, and the format that the name of a single output implies. */
function paramsOf(operation: Operation, options: PictureOptions, isSingle: boolean): Record<string, unknown> {
  const given = Object.keys(operation.params.shape).map((name) => [name, options[camelCase(name)]] as const);
  const own = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  const params = options.preset === undefined ? own : { ...presetOf(options.preset, operation.name).params, ...own };
  const extension = isSingle
    ? extname(options.output ?? '')
        .slice(1)
        .toLowerCase()
    : '';
  if (extension && params.format === undefined) params.format = extension === 'jpeg' ? 'jpg' : extension;
  return params;
}

async function plan(
  operation: Operation,
  inputs: string[],
  { output, doubtful }: PictureOptions,
  format: string,
): Promise<BatchItem[]> {
  const [first] = inputs;
  if (inputs.length === 1 && first !== undefined && (await isFolder(first))) {
    const folder = output ?? `${first.replace(/[/\\]+$/, '')}-${operation.command}`;
    const items = await planFolder(first, folder, format);
    return items.map((item) => withAside(item, doubtful, relative(folder, item.target)));
  }
  if (inputs.length > 1 && output !== undefined && !(await isFolder(output))) {
    throw new EngineError(
      'invalid_input',
      `Several pictures need a folder as --output, and ${output} is none; make it first`,
      { param: 'output' },
    );
  }
  const folder = output !== undefined && (await isFolder(output)) ? output : null;
  return inputs.map((source) => {
    const name = `${basename(source, extname(source))}-${operation.command}.${format}`;
    const target = folder ? join(folder, name) : (output ?? join(dirname(source), name));
    return withAside({ source, target }, doubtful, basename(target));
  });
}

function withAside(item: BatchItem, doubtful: string | undefined, name: string): BatchItem {
  return doubtful === undefined ? item : { ...item, aside: join(doubtful, name) };
}

async function runStandardInput(
  engine: Engine,
  options: PictureOptions,
  request: Parameters<typeof runOne>[2],
): Promise<void> {
  const job = await runOne(engine, process.stdin, request);
  const output = options.output ?? '-';
  if (output !== '-') return deliver(engine, job, output);
  const [made] = job.result?.outputs ?? [];
  const bytes = await engine.readOutput(made?.blob ?? '');
  bytes.pipe(process.stdout, { end: false });
  await finished(bytes, { writable: false });
}

/** Shows the outcomes as they come, then what failed and why; sets the exit code. */
async function report(
  outcomes: AsyncIterable<BatchOutcome>,
  { total, options, verdicts }: { total: number; options: PictureOptions; verdicts: Report | null },
  signal: AbortSignal,
): Promise<void> {
  const bar = startBar(total, options);
  const failed: BatchOutcome[] = [];
  const counts = { done: 0, skipped: 0, failed: 0 };
  const begun = performance.now();
  for await (const outcome of outcomes) {
    counts[outcome.state] += 1;
    if (outcome.state === 'failed') failed.push(outcome);
    await verdicts?.add(outcome);
    if (options.json) console.log(JSON.stringify(toLine(outcome)));
    const seconds = (performance.now() - begun) / 1000;
    bar?.increment({ speed: (counts.done / seconds).toFixed(1), left: timeLeft(total, counts, seconds) });
  }
  bar?.stop();
  await verdicts?.close();
  if (options.json)
    console.log(JSON.stringify({ ...counts, total, seconds: Number(((performance.now() - begun) / 1000).toFixed(1)) }));
  for (const { source, error } of failed) console.error(`${source}: ${error?.message}`);
  if (!options.json && total > 1)
    console.error(`${counts.done} done, ${counts.skipped} skipped, ${counts.failed} failed`);
  if (signal.aborted) process.exitCode = interrupted;
  else if (failed.length > 0) process.exitCode = 1;
}

function startBar(total: number, { json, quiet }: PictureOptions): SingleBar | null {
  if (json || quiet || total < 2) return null;
  const format = '{bar} {value}/{total} files | {speed} images/s | {left} left';
  const bar = new SingleBar({
    format,
    stream: process.stderr,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    hideCursor: true,
  });
  bar.start(total, 0, { speed: '0.0', left: '?' });
  return bar;
}

/** Passed-over files cost nothing, so the pace is that of the work done. */
function timeLeft(
  total: number,
  { done, skipped, failed }: Record<BatchOutcome['state'], number>,
  seconds: number,
): string {
  const worked = done + failed;
  if (worked === 0) return '?';
  const left = Math.round(((total - worked - skipped) * seconds) / worked);
  return left < 60 ? `${left} s` : left < 3600 ? `${Math.round(left / 60)} min` : `${(left / 3600).toFixed(1)} h`;
}

function toLine({ source, target, state, ms, model, warnings, verdict, error }: BatchOutcome): Record<string, unknown> {
  return {
    file: source,
    output: error ? null : target,
    state,
    ms,
    model,
    warnings,
    ...(verdict ? { quality: verdict } : {}),
    error: error ? { code: error.code, message: error.message } : null,
  };
}

async function isFolder(path: string | undefined): Promise<boolean> {
  if (path === undefined || path === '-') return false;
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

try {
  await commandLine().parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

/** Says what went wrong on standard error; returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError;
  if (error instanceof ConfigError) {
    console.error(error.message);
    return usageError;
  }
  const known = toEngineError(error);
  console.error(`darkroom: ${known.message}`);
  if (known.code === 'internal') console.error(known.cause);
  return known.code === 'cancelled' ? interrupted : known.details.param === undefined ? 1 : usageError;
}
