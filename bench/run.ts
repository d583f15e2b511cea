import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { Case, Measurement } from './bench.js';

const run = promisify(execFile);
const self = fileURLToPath(import.meta.url);
const casesFolder = join(import.meta.dirname, 'cases');

const help = `npm run bench -- CASE [--rounds N]   measure one case
npm run bench -- all                 measure every case
Figures are ratios of medians between variants that alternate, each in a fresh process; every output is checked.
Results are also written to bench/results/CASE.json.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, variant: { type: 'string' }, help: { type: 'boolean' } },
});
const [wanted] = positionals;
if (values.help || wanted === undefined) {
  console.log(`${help}\n\nCases: ${(await caseNames()).join(', ')}`);
} else if (values.variant !== undefined) {
  await measureHere(await loadCase(wanted), values.variant);
} else {
  const names = wanted === 'all' ? await caseNames() : [wanted];
  for (const name of names) await compare(await loadCase(name), values.rounds ? Number(values.rounds) : undefined);
}

/** One variant in this process: the measurement goes to the parent as the last line. */
async function measureHere(test: Case, variant: string): Promise<void> {
  const measure = test.variants[variant];
  if (!measure) throw new Error(`No variant ${variant} in ${test.name}`);
  const measured = await measure();
  process.stdout.write(`\n${JSON.stringify(measured)}\n`, () => process.exit(0));
}

async function compare(test: Case, rounds = test.rounds): Promise<void> {
  const names = Object.keys(test.variants);
  const measured = new Map<string, Measurement[]>(names.map((name) => [name, []]));
  console.log(`\n${test.name}: ${test.question}`);
  for (let round = 0; round < rounds; round += 1) {
    // The order turns round so that a drift of the machine hits both alike.
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const result = await inFreshProcess(test.name, name);
      if (round > 0 || rounds === 1) measured.get(name)?.push(result);
      console.log(`  round ${round} ${name.padEnd(12)} ${result.value.toFixed(2)} ${test.unit} ${more(result)}`);
    }
  }
  await conclude(test, measured);
}

async function conclude(test: Case, measured: Map<string, Measurement[]>): Promise<void> {
  const checks = new Set([...measured.values()].flat().map(({ check }) => check));
  if (test.mustAgree && checks.size > 1)
    fail(`${test.name}: the variants made different things: ${[...checks].join(' | ')}`);
  const medians = Object.fromEntries([...measured].map(([name, all]) => [name, median(all.map(({ value }) => value))]));
  const [first = Number.NaN, second] = Object.values(medians);
  const figure = second === undefined ? first : first / second;
  for (const [name, value] of Object.entries(medians))
    console.log(`  median ${name.padEnd(12)} ${value.toFixed(2)} ${test.unit}`);
  if (second !== undefined) console.log(`  ratio ${Object.keys(medians).join(' ÷ ')} = ${figure.toFixed(3)}`);
  if (test.target) {
    const verdict = test.target.holds(figure) ? 'holds' : 'MISSED';
    console.log(`  target ${test.target.text}: ${verdict}`);
    if (verdict === 'MISSED') process.exitCode = 1;
  }
  await save(test, {
    medians,
    figure,
    target: test.target?.text ?? null,
    quality: test.quality?.(measured),
    rounds: Object.fromEntries(measured),
  });
}

async function save(test: Case, figures: object): Promise<void> {
  const folder = resolve('bench/results');
  await mkdir(folder, { recursive: true });
  const commit = (await run('git', ['rev-parse', '--short', 'HEAD']).catch(() => ({ stdout: 'none' }))).stdout.trim();
  const machine = {
    cpu: cpus()[0]?.model,
    cores: availableParallelism(),
    load: loadavg()[0],
    node: process.version,
    commit,
  };
  await writeFile(
    join(folder, `${test.name}.json`),
    `${JSON.stringify({ name: test.name, question: test.question, unit: test.unit, ...figures, machine }, null, 2)}\n`,
  );
}

async function inFreshProcess(name: string, variant: string): Promise<Measurement> {
  const { stdout } = await run(process.execPath, [self, name, '--variant', variant], { maxBuffer: 1e8 });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Measurement;
}

async function loadCase(name: string): Promise<Case> {
  if (!(await caseNames()).includes(name)) fail(`No case ${name}; there are ${(await caseNames()).join(', ')}`);
  return ((await import(join(casesFolder, `${name}.js`))) as { default: Case }).default;
}

async function caseNames(): Promise<string[]> {
  const files = await readdir(casesFolder);
  return files.filter((file) => file.endsWith('.js')).map((file) => file.slice(0, -3));
}

function more({ more = {} }: Measurement): string {
  return Object.entries(more)
    .map(([name, value]) => `${name}=${typeof value === 'number' ? Number(value.toFixed(2)) : value}`)
    .join(' ');
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
