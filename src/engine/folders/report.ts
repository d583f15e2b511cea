import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { BatchOutcome } from './batch.js';
import { EngineError } from '../errors.js';
import { isDoubtful } from './verdict.js';

/** A file with the verdict on each result of a batch. */
export interface Report {
  /** Notes what became of one file; what was skipped keeps the line that it has. */
  add(outcome: BatchOutcome): Promise<void>;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

const columns = [
  'file',
  'output',
  'state',
  'doubtful',
  'coverage',
  'touches_edge',
  'holes',
  'edge_softness',
  'halo',
  'confidence',
  'warnings',
] as const;

/** Everything as text, as a table has it; several warnings stand apart by semicolons. */
type Row = Record<(typeof columns)[number], string>;

/** Rows between two times that the file is written: a batch that is killed loses no more verdicts than this. */
const rowsBetween = 50;

/**
 * Opens a report that is written as CSV or JSON, by its extension; a file of an earlier run is taken up, so that a batch
 * that was stopped ends with one whole report. Errors: `invalid_input` (another extension, not a report, not writable).
 */
export async function openReport(path: string): Promise<Report> {
  const format = formats[extname(path).toLowerCase()];
  if (!format) throw refusal(path, 'must end in .csv or .json');
  const rows = new Map((await readRows(path, format)).map((row) => [row.file, row]));
  let unwritten = 0;
  const write = async () => {
    unwritten = 0;
    await replaceFile(path, format.print([...rows.values()]));
  };
  await write();
  return {
    async add(outcome) {
      if (outcome.state === 'skipped') return;
      rows.set(outcome.source, toRow(outcome));
      unwritten += 1;
      if (unwritten >= rowsBetween) await write();
    },
    close: write,
  };
}

interface Format {
  parse(text: string): Row[];
  print(rows: Row[]): string;
}

const formats: Record<string, Format> = {
  '.csv': { parse: parseCsv, print: printCsv },
  '.json': { parse: (text) => (JSON.parse(text) as object[]).map(fromJson), print: printJson },
};

function toRow({ source, target, state, verdict, warnings, error }: BatchOutcome): Row {
  const said = error ? [error.message] : [...(verdict?.warnings ?? []), ...warnings];
  return {
    file: source,
    output: error ? '' : target,
    state,
    doubtful: String(error !== null || (verdict !== null && isDoubtful(verdict))),
    coverage: String(verdict?.coverage ?? ''),
    touches_edge: String(verdict?.touches_edge ?? ''),
    holes: String(verdict?.holes ?? ''),
    edge_softness: String(verdict?.edge_softness ?? ''),
    halo: String(verdict?.halo ?? ''),
    confidence: String(verdict?.confidence ?? ''),
    warnings: said.join('; '),
  };
}

async function readRows(path: string, { parse }: Format): Promise<Row[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw refusal(path, error.message, error);
  });
  if (text === null || text.trim() === '') return [];
  try {
    const rows = parse(text);
    if (rows.every((row) => row.file !== '')) return rows;
  } catch (cause) {
    throw refusal(path, 'is there already and is no report', cause);
  }
  throw refusal(path, 'is there already and is no report');
}

async function replaceFile(path: string, text: string): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await writeFile(partial, text);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw refusal(path, (error as Error).message, error);
  }
}

/** RFC 4180. */
function printCsv(rows: Row[]): string {
  const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map((row) => columns.map((column) => cell(row[column])));
  return [[...columns], ...lines].map((line) => `${line.join(',')}\r\n`).join('');
}

function parseCsv(text: string): Row[] {
  const lines: string[][] = [[]];
  for (const [, quoted, plain = '', end = ''] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    lines.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end.endsWith('\n')) lines.push([]);
    else if (end === '') break;
  }
  const [head, ...body] = lines.filter((line) => line.length > 1);
  if (head?.join() !== columns.join()) throw new Error('other columns');
  return body.map((line) => Object.fromEntries(columns.map((column, index) => [column, line[index] ?? ''])) as Row);
}

/** Numbers, flags and lists as such; what is not known is null. */
function printJson(rows: Row[]): string {
  const value = (column: string, text: string): unknown => {
    if (column === 'warnings') return text === '' ? [] : text.split('; ');
    if (text === '') return null;
    if (text === 'true' || text === 'false') return text === 'true';
    return ['file', 'output', 'state'].includes(column) ? text : Number(text);
  };
  const objects = rows.map((row) => Object.fromEntries(columns.map((column) => [column, value(column, row[column])])));
  return `${JSON.stringify(objects, null, 2)}\n`;
}

function fromJson(entry: object): Row {
  const values = entry as Record<string, unknown>;
  const text = (value: unknown) => (Array.isArray(value) ? value.join('; ') : String(value ?? ''));
  return Object.fromEntries(columns.map((column) => [column, text(values[column])])) as Row;
}

function refusal(path: string, reason: string, cause?: unknown): EngineError {
  return new EngineError('invalid_input', `The report ${path} ${reason}`, { param: 'report', cause });
}
