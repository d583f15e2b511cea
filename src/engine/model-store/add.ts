import { copyFile, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { families, familyOf } from '../../models/index.js';
import { type Lockfile, type ModelEntry, parseEntry, type WeightFile } from '../../models/lockfile.js';
import type { DeclaredTensor } from '../../models/files/onnx-tensor.js';
import { readNetwork } from '../../models/files/onnx-file.js';
import { maxFileBytes } from '../../models/files/weights.js';
import { describeBytes } from '../byte-size.js';
import { EngineError } from '../errors.js';
import { digestsOf, pin } from './digests.js';
import { stageModel } from './staging.js';

/** What the owner says of a network of their own. */
export interface OwnModel {
  file: string;
  family: string;
  /** Needed where families of several tasks have one name. */
  task?: string | undefined;
  /** Default: the name of the file. */
  id?: string | undefined;
  /** Id of a model whose constants and kinds of pictures it shares; `constants` overrule the former. */
  like?: string | undefined;
  constants: Record<string, unknown>;
  /** Paths of further files by their part. */
  parts: Record<string, string>;
  licence?: string | undefined;
  isNonCommercial: boolean;
}

/**
 * Copies a network of the owner's own to the models, with an entry made from what the file declares. Errors:
 * `invalid_input` naming the option, `model_unavailable` for a file that can't be used.
 */
export async function addModel(own: OwnModel, lock: Lockfile, folder: string): Promise<ModelEntry> {
  const id = own.id ?? idFrom(own.file);
  if (lock.models.some((entry) => entry.id === id && entry.tier !== 'own')) {
    throw invalid('id', `"${id}" is a model of the program; give another --id`);
  }
  const sources = [{ path: own.file }, ...Object.entries(own.parts).map(([part, path]) => ({ part, path }))];
  const files: WeightFile[] = [];
  for (const { path, part } of sources as { path: string; part?: string }[]) files.push(await describeFile(path, part));
  const known = modelLike(own, lock);
  const entry = checked({
    id,
    ...signatureOf(await readFile(own.file), id),
    ...familyFrom(own),
    tier: 'own',
    files,
    licence: own.licence ?? 'not stated',
    commercialUse: !own.isNonCommercial,
    constants: { ...known?.constants, ...own.constants },
    ...(known?.suits && { suits: known.suits }),
    seen: `added by its owner from ${basename(own.file)}`,
  });
  return stageModel(folder, id, async (stage) => {
    for (const [index, { path }] of sources.entries()) {
      await copyFile(path, join(stage, files[index]?.name ?? ''));
    }
    return entry;
  });
}

function idFrom(path: string): string {
  return basename(path, extname(path))
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
}

function familyFrom({ family, task }: OwnModel): { family: string; task: string } {
  const known = families.filter((each) => each.name === family && (task === undefined || each.task === task));
  const [first] = known;
  if (!first) {
    const names = [...new Set(families.map(({ name }) => name))].join(', ');
    throw invalid('family', `expected one of ${names}, got "${family}"${task === undefined ? '' : ` for ${task}`}`);
  }
  if (known.length > 1)
    throw invalid('task', `"${family}" is for ${known.map((each) => each.task).join(' and ')}: give --task`);
  return { family, task: first.task };
}

function modelLike({ like, family }: OwnModel, { models }: Lockfile): ModelEntry | null {
  if (like === undefined) return null;
  const found = models.find(({ id }) => id === like);
  if (found?.family === family) return found;
  throw invalid('like', `expected a model of family "${family}", got "${like}"`);
}

async function describeFile(path: string, part: string | undefined): Promise<WeightFile> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) throw invalid('file', `${path} is no file`);
  if (found.size > maxFileBytes) {
    throw invalid('file', `expected at most ${describeBytes(maxFileBytes)}, ${path} has ${describeBytes(found.size)}`);
  }
  const name = basename(path)
    .replace(/[^\w.-]/g, '-')
    .replace(/^[^\w]+/, '');
  return pin(
    { name, url: null, bytes: null, sha256: null, ...(part === undefined ? {} : { part }) },
    await digestsOf(path),
  );
}

function signatureOf(bytes: Uint8Array, id: string): { inputs: object[]; outputs: object[] } {
  const { inputs, outputs } = readNetwork(bytes, id);
  const spec = ({ name, type, shape }: DeclaredTensor) => ({ name, type, shape });
  return { inputs: inputs.map(spec), outputs: outputs.map(spec) };
}

/** The entry, as strictly checked as one of the program. */
function checked(draft: object): ModelEntry {
  const entry = parseEntry(JSON.stringify(draft), 'The new model');
  familyOf(entry);
  return entry;
}

function invalid(param: string, reason: string): EngineError {
  const place = param === 'file' ? param : `--${param}`;
  return new EngineError('invalid_input', `${place}: ${reason}`, { param });
}
