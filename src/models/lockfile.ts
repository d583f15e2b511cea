import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { EngineError } from '../engine/errors.js';
import { type ModelTask, modelTasks, pictureKinds } from './model.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'Expected a SHA-256 digest in lower-case hex');

const md5 = z.string().regex(/^[0-9a-f]{32}$/, 'Expected an MD5 digest in lower-case hex');

const webAddress = z.url({ protocol: /^https$/ });

const tensorSpec = z.strictObject({
  /** Null where no public source names it: then its position counts. */
  name: z.string().min(1).nullable(),
  type: z.enum(['uint8', 'float32', 'float16', 'int32', 'int64']),
  /** A number is fixed, a string is a free dimension; null where no public source tells it. */
  shape: z.array(z.union([z.int(), z.string()])).nullable(),
});

/** A file of a model. A hash is never invented: `null` is pinned at the first pull. */
const weightFile = z.strictObject({
  /** Plain file name; bundled ones lie in `src/models/bundled/`, the others in `<data>/models/<id>/`. */
  name: z.string().regex(/^\w[\w.-]*$/, 'Expected a plain file name'),
  /** What a further file is to its family: `voices`, `config`, `unet` …; the first file is the network and has none. */
  part: z
    .string()
    .regex(/^[a-z][a-z-]*$/, 'Expected lower case and dashes')
    .optional(),
  url: webAddress.nullable(),
  /** Other addresses of the same bytes, tried in this order after `url`. */
  mirrors: z.array(webAddress).optional(),
  bytes: z.int().positive().nullable(),
  sha256: sha256.nullable(),
  /** Where no SHA-256 was published: checked at the pull that pins one. */
  md5: md5.optional(),
  /** Of a further network. */
  inputs: z.array(tensorSpec).optional(),
  outputs: z.array(tensorSpec).optional(),
});

export const modelEntry = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'Expected lower case, digits, dots and dashes'),
    task: z.enum(modelTasks),
    family: z.string().min(1),
    tier: z.enum(['bundled', 'open', 'own']),
    files: z.array(weightFile).min(1),
    licence: z.string().min(1),
    /** Where the licence can be read. */
    licenceUrl: webAddress.optional(),
    /** Null where the terms could not be found out: refused like a no. */
    commercialUse: z.boolean().nullable(),
    inputs: z.array(tensorSpec).min(1),
    outputs: z.array(tensorSpec).min(1),
    /** Pre- and post-processing constants; the family checks them. */
    constants: z.record(z.string(), z.unknown()),
    /** What it is made for, where models of a task differ in that; default: everything. */
    suits: z.array(z.enum(pictureKinds)).min(1).optional(),
    /** Id of a model of the same architecture, fine-tuned from this one or beside it: their weights can be mixed. */
    twin: z.string().min(1).optional(),
    /** Where the facts were seen. */
    seen: z.string().min(1),
    /** What a user should know before taking it. */
    notes: z.string().optional(),
  })
  .refine((entry) => entry.tier !== 'bundled' || entry.files.every((file) => file.sha256 !== null), {
    path: ['files'],
    message: 'Expected a sha256 for every bundled file: run scripts/lock-models.ts',
  })
  .refine(({ files }) => files.every(({ part }, index) => (part === undefined) === (index === 0)), {
    path: ['files'],
    message: 'Expected a `part` for every file but the first',
  })
  .refine(
    ({ files }) => new Set(files.flatMap(({ name, part = '' }) => [name, `part ${part}`])).size === 2 * files.length,
    {
      path: ['files'],
      message: 'Expected a name and a part only once',
    },
  );

export const lockfileSchema = z
  .strictObject({
    version: z.literal(1),
    /** Per task, the models that `auto` takes, best first. */
    preferred: z.partialRecord(z.enum(modelTasks), z.array(z.string())),
    models: z.array(modelEntry),
  })
  .superRefine((lock, context) => {
    for (const { path, message } of inconsistencies(lock)) context.addIssue({ code: 'custom', path, message });
  });

export type WeightFile = z.output<typeof weightFile>;
export type TensorSpec = z.output<typeof tensorSpec>;
export type ModelEntry = z.output<typeof modelEntry>;
export type Lockfile = z.output<typeof lockfileSchema>;

/** The checked lock file at this path. Errors: `model_unavailable` with one line per entry and field that is wrong. */
export function readLockfile(path: string): Lockfile {
  return parseLockfile(
    attempt(() => readFileSync(path, 'utf8')),
    path,
  );
}

/** The checked lock file in this text; `name` stands in the messages. Errors as `readLockfile`. */
export function parseLockfile(text: string, name: string): Lockfile {
  const raw = attempt((): unknown => JSON.parse(text));
  const result = lockfileSchema.safeParse(raw);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `${name}: ${whereIn(raw, issue.path)}: ${issue.message}`);
  throw new EngineError('model_unavailable', lines.join('\n'));
}

/** The checked entry in this text, as a lock file has many; `name` stands in the messages. Errors as `readLockfile`. */
export function parseEntry(text: string, name: string): ModelEntry {
  const raw = attempt((): unknown => JSON.parse(text), name);
  const result = modelEntry.safeParse(raw);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `${name}: ${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new EngineError('model_unavailable', lines.join('\n'));
}

/** The constants of an entry as its family needs them. Errors: `model_unavailable` naming entry and field. */
export function readConstants<Schema extends z.ZodType>(entry: ModelEntry, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(entry.constants);
  if (result.success) return result.data;
  const reason = constantsProblem(entry, schema);
  throw new EngineError('model_unavailable', `Model "${entry.id}" of family "${entry.family}": ${reason}`);
}

/** What is wrong with the constants of an entry, field by field; null if nothing is. */
export function constantsProblem({ constants }: ModelEntry, schema: z.ZodType): string | null {
  const { error } = schema.safeParse(constants);
  return error?.issues.map((issue) => `constants.${issue.path.join('.')}: ${issue.message}`).join('; ') ?? null;
}

function attempt<T>(step: () => T, name = 'The list of models'): T {
  try {
    return step();
  } catch (error) {
    const { message } = error as Error;
    throw new EngineError('model_unavailable', `${name} can't be read: ${message}`, { cause: error });
  }
}

interface Draft {
  preferred: Partial<Record<ModelTask, string[]>>;
  models: { id: string; task: ModelTask }[];
}

function* inconsistencies({ preferred, models }: Draft): Generator<{ path: (string | number)[]; message: string }> {
  const tasks = new Map<string, ModelTask>();
  for (const [index, { id, task }] of models.entries()) {
    if (tasks.has(id)) yield { path: ['models', index, 'id'], message: `"${id}" is taken by an entry before` };
    tasks.set(id, task);
  }
  for (const [task, ids] of Object.entries(preferred)) {
    for (const [index, id] of ids.entries()) {
      if (tasks.get(id) === task) continue;
      yield { path: ['preferred', task, index], message: `"${id}" is no model for ${task} in this file` };
    }
  }
}

/** A path as a reader of the file looks for it: the id of the entry instead of its index. */
function whereIn(raw: unknown, path: PropertyKey[]): string {
  const [list, index, ...field] = path;
  if (list !== 'models' || typeof index !== 'number') return path.join('.') || 'the file';
  const entry = (raw as { models: { id?: unknown }[] }).models[index];
  return [`model "${entry?.id ?? index}"`, field.join('.')].filter(Boolean).join(', ');
}
