import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { Case, Measured, Measurement } from './bench.js';
import { interval, median } from './statistics.js';

const run = promisify(execFile);
const self = fileURLToPath(import.meta.url);
const casesFolder = join(import.meta.dirname, 'cases');

const help = `npm run bench -- CASE [--rounds N]   measure one case
npm run bench -- all                 measure every case
Medians of variants that alternate, each in a fresh process, and how the first compares with the second; outputs are checked.
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
  const obstacle = test.obstacle?.() ?? null;
  if (obstacle !== null) return console.log(`  skipped: ${obstacle}`);
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

async function conclude(test: Case, measured: Measured): Promise<void> {
  const checks = new Set([...measured.values()].flat().map(({ check }) => check));
  if (test.mustAgree && checks.size > 1)
    fail(`${test.name}: the variants made different things: ${[...checks].join(' | ')}`);
  const values = new Map([...measured].map(([name, all]) => [name, all.map(({ value }) => value)]));
  const medians = Object.fromEntries([...values].map(([name, all]) => [name, median(all)]));
  for (const [name, value] of Object.entries(medians))
    console.log(`  median ${name.padEnd(12)} ${value.toFixed(2)} ${test.unit}`);
  const { figure, confidence } = comparisonOf(test, values);
  let holds: boolean | null = null;
  if (test.target) {
    holds = test.target.holds(figure, measured);
    console.log(`  target ${test.target.text}: ${holds ? 'holds' : 'MISSED'}`);
    if (!holds) process.exitCode = 1;
  }
  const { comparison = 'ratio', target } = test;
  const answer = { medians, comparison, figure, confidence, target: target?.text ?? null, holds };
  await save(test, { ...answer, quality: test.quality?.(measured), rounds: Object.fromEntries(measured) });
}

/** The first variant against the second, with its 90 % interval where there are rounds enough; one alone is its own figure. */
function comparisonOf({ comparison = 'ratio' }: Case, values: ReadonlyMap<string, readonly number[]>) {
  const [[one, first], two] = [...values] as [[string, number[]], [string, number[]]?];
  if (!two) return { figure: median(first), confidence: null };
  const compare = comparison === 'ratio' ? (a: number, b: number) => a / b : (a: number, b: number) => a - b;
  const [other, second] = two;
  const figure = compare(median(first), median(second));
  const confidence = first.length >= 3 ? interval(first, second, compare) : null;
  const range = confidence ? ` (90 %: ${confidence.map((bound) => bound.toFixed(3)).join(' to ')})` : '';
  console.log(`  ${one} ${comparison === 'ratio' ? '÷' : '−'} ${other} = ${figure.toFixed(3)}${range}`);
  return { figure, confidence };
}

async function save(test: Case, figures: object): Promise<void> {
  const folder = resolve('bench/results');
  await mkdir(folder, { recursive: true });
  const commit = (await run('git', ['rev-parse', '--short', 'HEAD']).catch(() => ({ stdout: 'none' }))).stdout.trim();
  const [load] = loadavg();
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), load, node: process.version, commit };
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

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
