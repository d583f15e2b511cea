import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../errors.js';
import { findOperation, operations, parseParams } from '../operations/index.js';
import type { Operation } from '../operations/operation.js';

/** Params under a name, of one operation. */
export interface Preset {
  name: string;
  operation: string;
  params: Record<string, unknown>;
}

/** What comes with the program; a file of the same name goes before. */
const builtIn: readonly Preset[] = [
  {
    name: 'marketplace',
    operation: 'background-removal',
    params: { aspect: 'marketplace', size: '2000x2000', shadow: 'contact', format: 'jpg' },
  },
  { name: 'transparent', operation: 'background-removal', params: { crop: true, crop_margin: '5%', format: 'png' } },
  {
    name: 'studio',
    operation: 'background-removal',
    params: { aspect: '4:5', backdrop: 'studio', bg_color: '#f2f2f2', scale: '80%', shadow: 'soft', format: 'jpg' },
  },
];

const presetFile = z.union([
  z.strictObject({ operation: z.string(), params: z.record(z.string(), z.unknown()).default({}) }),
  z.strictObject({ steps: z.array(z.looseObject({ operation: z.string() })).min(1) }),
]);

const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/i;

/** Every preset that can be asked for by name, those of the folder first. Files that are no presets are left out. */
export function listPresets(folder: string): Preset[] {
  const own = namesIn(folder).flatMap((name) => {
    try {
      return [readPresetFile(join(folder, `${name}.json`))];
    } catch {
      return [];
    }
  });
  return [...own, ...builtIn.filter(({ name }) => !own.some((each) => each.name === name))];
}

/** The preset of this name. Errors: `invalid_input` for one that is not there or is none. */
export function findPreset(name: string, folder: string): Preset {
  const isThere = namePattern.test(name) && namesIn(folder).includes(name);
  if (isThere) return readPresetFile(join(folder, `${name}.json`));
  const found = builtIn.find((preset) => preset.name === name);
  if (found) return found;
  const known = listPresets(folder).map((preset) => preset.name);
  throw invalid(`Expected \`preset\` to be one of ${known.join(', ')}, got ${JSON.stringify(name.slice(0, 80))}`);
}

/** The preset in a file, whose params are checked as those of a request are. Errors: `invalid_input`. */
export function readPresetFile(path: string): Preset {
  const result = presetFile.safeParse(readJson(path));
  if (!result.success) {
    throw invalid(`${path}: expected {"operation": …, "params": {…}} or {"steps": […]}`);
  }
  const { data } = result;
  const [operation, params] = 'steps' in data ? ['pipeline', { steps: data.steps }] : [data.operation, data.params];
  const preset = { name: basename(path, extname(path)), operation, params };
  checkPreset(preset, path);
  return preset;
}

/**
 * Params of a request with those of its preset under them. Errors: `invalid_input` for a preset that is not there or is
 * for another operation.
 */
export function withPreset(
  operation: Operation,
  raw: Record<string, unknown>,
  folder: string,
): Record<string, unknown> {
  const { preset: name, ...given } = raw;
  if (name === undefined || name === null || name === '') return given;
  const preset = findPreset(String(name), folder);
  if (preset.operation !== operation.name) {
    throw invalid(`Preset "${preset.name}" is for ${preset.operation}, not for ${operation.name}`);
  }
  return { ...preset.params, ...given };
}

function namesIn(folder: string): string[] {
  try {
    const files = readdirSync(folder).filter((file) => extname(file) === '.json');
    return files
      .map((file) => basename(file, '.json'))
      .filter((name) => namePattern.test(name))
      .sort();
  } catch {
    return [];
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw invalid(`${path} cannot be read as JSON: ${(error as Error).message}`);
  }
}

/** A preset is written with care and kept: a field that nobody knows is a mistake in it, not a warning. */
function checkPreset({ operation: name, params }: Preset, path: string): void {
  const operation = findOperation(name);
  if (!operation)
    throw invalid(`${path}: expected one of ${operations.map((each) => each.name).join(', ')}, got "${name}"`);
  try {
    const [warning] = parseParams(operation, params).warnings;
    if (warning !== undefined) throw invalid(warning);
  } catch (error) {
    throw invalid(`${path}: ${(error as Error).message}`);
  }
}

function invalid(message: string): EngineError {
  return new EngineError('invalid_input', message, { param: 'preset' });
}
