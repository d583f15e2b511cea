import { z } from 'zod';
import { EngineError } from '../errors.js';
import type { OutputFormat } from '../media/media.js';
import type { Operation } from './operation.js';

/** Checked params, and what was noticed about the rest. */
export interface ParsedParams<Params extends object> {
  params: Params;
  warnings: string[];
}

/** `model`, which every operation on a model has. */
export function modelParam() {
  return z.string({ error: 'the id of a model' }).default('auto').describe('Id of a model, or `auto`');
}

/** One of some words; the error says which. */
export function oneOf<const Word extends string>(words: readonly Word[]) {
  return z.enum(words, { error: list(words) });
}

/** One of some numbers, also when it comes as a string. */
export function oneNumberOf<const Value extends number>(values: readonly Value[]) {
  return z.preprocess(toNumber, z.literal(values, { error: list(values) }));
}

/** A number within a range, also when it comes as a string. */
export function numberBetween(least: number, most: number) {
  const error = `a number from ${least} to ${most}`;
  return z.preprocess(toNumber, z.number({ error }).min(least, { error }).max(most, { error }));
}

/** A whole number within a range, also when it comes as a string. */
export function wholeNumberBetween(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.preprocess(toNumber, z.int({ error }).min(least, { error }).max(most, { error }));
}

/** Text of some length without the white space around it. */
export function text(least: number, most: number) {
  const error = least === 0 ? `text of at most ${most} characters` : `text of ${least} to ${most} characters`;
  return z.string({ error }).trim().min(least, { error }).max(most, { error });
}

/** Several values, also as JSON in a string; a value alone is a list of one. `error` says what is expected. */
export function listOf<Item extends z.ZodType>(item: Item, { most, error }: { most: number; error: string }) {
  return z.preprocess(toList, z.array(item, { error }).max(most, { error }));
}

/** A list or an object, also as JSON text: forms and command lines have nothing else. */
export function json<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess(readJson, schema);
}

/** How strongly to do something: 0 to 1, or `auto` to let the picture decide. */
export function strength() {
  const error = 'auto or a number from 0 to 1';
  return z.preprocess(
    toNumber,
    z.union([z.literal('auto'), z.number().min(0, { error }).max(1, { error })], { error }),
  );
}

/** A strength, for which true and false stand for 1 and 0: what others call it is a switch. */
export function strengthOrFlag() {
  const error = 'true, false, auto or a number from 0 to 1';
  const read = (value: unknown) => {
    const flag = toBoolean(value);
    return typeof flag === 'boolean' ? Number(flag) : toNumber(value);
  };
  return z.preprocess(read, z.union([z.literal('auto'), z.number().min(0, { error }).max(1, { error })], { error }));
}

/** Text of a certain form, also as a number; `expected` says which form in words. */
export function worded(isForm: (text: string) => boolean, expected: string) {
  const asText = (value: unknown) => (typeof value === 'number' ? String(value) : value);
  return z.preprocess(asText, z.string({ error: expected }).refine(isForm, { error: expected }));
}

/** True or false, also as `true`, `false`, `1`, `0` in a string. */
export function flag() {
  return z.preprocess(toBoolean, z.boolean({ error: 'true or false' }));
}

/** `format`: one of the given formats of the result. */
export function formatParam<const Format extends OutputFormat>(formats: readonly Format[]) {
  return oneOf(formats)
    .default(formats[0] as z.core.util.NoUndefined<Format>)
    .describe('Format of the result');
}

/**
 * Params as sent, checked and completed with their defaults; what the operation does not know becomes a warning. A null
 * counts as not given. Errors: `invalid_input` naming the first param that is wrong.
 */
export function parseParams<Params extends object>(
  operation: Operation<Params>,
  raw: Record<string, unknown>,
): ParsedParams<Params> {
  const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== null && value !== undefined));
  const known = Object.keys(operation.params.shape);
  const result = operation.params.safeParse(given);
  if (result.error) throw invalid(result.error, given);
  const pictures = operation.pictures.flatMap(({ field }) => [field, `${field}_url`]);
  const unknown = Object.keys(given).filter((name) => !known.includes(name) && !pictures.includes(name));
  return { params: result.data, warnings: unknown.map((name) => ignored(name, known)) };
}

function invalid({ issues: [issue] }: z.ZodError, given: Record<string, unknown>): EngineError {
  const param = String(issue?.path[0]);
  const got = JSON.stringify(given[param] ?? null).slice(0, 100);
  return new EngineError('invalid_input', `Expected \`${param}\` to be ${issue?.message}, got ${got}`, { param });
}

function ignored(name: string, known: string[]): string {
  const shown = JSON.stringify(name.slice(0, 100));
  const [nearest] = known.map((word) => ({ word, edits: distance(name, word) })).sort((a, b) => a.edits - b.edits);
  const isClose = nearest !== undefined && nearest.edits <= Math.max(1, nearest.word.length / 3);
  return `Unknown field ${shown} was ignored${isClose ? `; did you mean "${nearest.word}"?` : ''}`;
}

function list(values: readonly (string | number)[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

function toNumber(value: unknown): unknown {
  if (typeof value !== 'string' || value.trim() === '') return value;
  const number = Number(value);
  return Number.isNaN(number) ? value : number;
}

function toList(value: unknown): unknown {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return Array.isArray(value) ? value : [value];
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? parsed : [parsed];
  } catch {
    return [value];
  }
}

function readJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function toBoolean(value: unknown): unknown {
  const words: Record<string, boolean> = { true: true, '1': true, false: false, '0': false };
  return typeof value === 'string' ? (words[value.trim().toLowerCase()] ?? value) : value;
}

/** Edits between two words: letters put in, left out, replaced or swapped (optimal string alignment). */
function distance(from: string, to: string): number {
  const word = from.slice(0, 2 * to.length).toLowerCase();
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let row = 1; row <= word.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = word[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && word[row - 1] === to[column - 2] && word[row - 2] === to[column - 1];
      const edits = [
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + (isSame ? 0 : 1),
        ...(isSwap ? [(before[column - 2] as number) + 1] : []),
      ];
      current.push(Math.min(...edits));
    }
    [before, last] = [last, current];
  }
  return last[to.length] as number;
}
