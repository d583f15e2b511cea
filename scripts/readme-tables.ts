import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settings } from '#src/engine/config.js';
import { familyProblem } from '#src/models/index.js';
import { type ModelEntry, readLockfile } from '#src/models/lockfile.js';

/** The generated parts of the README, by the name of their marker. */
export function readmeTables(root: string): Record<string, string> {
  return { settings: settingsTable(), models: modelsTable(root), measured: measuredTable(root) };
}

/** The README with every generated part renewed. Throws if a marker is missing. */
export function withTables(readme: string, tables: Record<string, string>): string {
  return Object.entries(tables).reduce((text, [name, table]) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [head, rest] = cut(text, begin);
    const [, tail] = cut(rest, end);
    return `${head}${begin}\n${table}\n${end}${tail}`;
  }, readme);
}

function cut(text: string, marker: string): [string, string] {
  const at = text.indexOf(marker);
  if (at < 0) throw new Error(`README.md has no ${marker}`);
  return [text.slice(0, at), text.slice(at + marker.length)];
}

function settingsTable(): string {
  const rows = Object.entries(settings.shape).map(([name, schema]) => {
    const usual = schema.safeParse(undefined).data;
    const shown =
      usual === undefined || (Array.isArray(usual) && usual.length === 0)
        ? ''
        : `\`${String(usual).replace(/^(true|false)$/, (flag) => (flag === 'true' ? '1' : '0'))}\``;
    return [`\`${name}\``, shown, schema.description ?? ''];
  });
  return table(['variable', 'default', 'what it does'], rows);
}

/** Families whose code ran on real published weights; the others ran on random ones with the true tensors. */
const provenOnRealWeights = [
  'cutout',
  'saliency',
  'upscaler',
  'srvgg',
  'inpainter',
  'restorer',
  'depth-anything',
  'yunet',
];

function modelsTable(root: string): string {
  const { models } = readLockfile(join(root, 'models.lock.json'));
  const quality = measuredQuality(root);
  const tasks = [...new Set(models.map(({ task }) => task))];
  const sorted = tasks.flatMap((task) => models.filter((entry) => entry.task === task));
  const rows = sorted.map((entry) => [
    `\`${entry.id}\``,
    entry.task,
    originOf(entry),
    licenceOf(entry),
    megabytes(entry.files.reduce((sum, file) => sum + (file.bytes ?? Number.NaN), 0)),
    [proofOf(entry), quality[entry.id] ?? 'not measured here'].join('; '),
  ]);
  return table(['model', 'task', 'comes', 'licence of the weights', 'MB', 'its family was tried on; measured'], rows);
}

function originOf({ tier, files }: ModelEntry): string {
  if (tier === 'bundled') return 'bundled';
  return files.every(({ url }) => url !== null) ? '`models pull`' : '`models import`';
}

function licenceOf({ licence, licenceUrl, commercialUse }: ModelEntry): string {
  const name = licenceUrl === undefined ? licence : `[${licence}](${licenceUrl})`;
  if (commercialUse === true) return name;
  return `${name} (${commercialUse === null ? 'unclear' : 'not for shops'}: refused by default)`;
}

function proofOf(entry: ModelEntry): string {
  if (familyProblem(entry) !== null) return 'listed, no code yet';
  return provenOnRealWeights.includes(entry.family) ? 'real weights' : 'random weights';
}

function measuredTable(root: string): string {
  const rows = results(root).map(({ name, question, unit, medians, comparison, figure, target }) => {
    const sides = Object.entries(medians).map(([variant, value]) => `${variant} ${round(value)} ${unit}`);
    const compared = comparison === 'ratio' ? `ratio ${round(figure)}` : `${round(figure)} ${unit} apart`;
    const answer = sides.length > 1 ? `${sides.join(', ')}: ${compared}` : sides.join('');
    return [`\`${name}\``, question, answer, target ?? ''];
  });
  return table(['bench', 'question', 'answer', 'held against'], rows);
}

interface Result {
  name: string;
  question: string;
  unit: string;
  medians: Record<string, number>;
  /** What `figure` says of the first two medians. */
  comparison: 'ratio' | 'difference';
  figure: number;
  target: string | null;
  /** What a bench of quality says of each model, ready for a table. */
  quality?: Record<string, string>;
}

function measuredQuality(root: string): Record<string, string> {
  return Object.assign({}, ...results(root).map(({ quality = {} }) => quality));
}

function results(root: string): Result[] {
  const folder = join(root, 'bench/results');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Result);
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function megabytes(bytes: number): string {
  return Number.isNaN(bytes) ? 'unknown' : (bytes / 1e6).toFixed(1);
}

function round(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
