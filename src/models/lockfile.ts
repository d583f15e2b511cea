import { z } from 'zod';
import { modelTasks } from './model.js';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest in lower-case hex');

/** A file of a model. A hash is never invented: `null` is pinned at the first pull. */
const weightFile = z.strictObject({
  /** Plain file name; bundled ones lie in `src/models/bundled/`, the others in `<data>/models/<id>/`. */
  name: z.string().regex(/^[\w][\w.-]*$/, 'a plain file name'),
  url: z.url({ protocol: /^https$/ }).nullable(),
  bytes: z.int().positive().nullable(),
  sha256: sha256.nullable(),
});

const tensorSpec = z.strictObject({
  name: z.string().min(1),
  type: z.enum(['uint8', 'float32', 'float16', 'int64']),
  /** A number is fixed, a string is a free dimension. */
  shape: z.array(z.union([z.int(), z.string()])),
});

export const modelEntry = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'lower case, digits, dots and dashes'),
  task: z.enum(modelTasks),
  family: z.string().min(1),
  tier: z.enum(['bundled', 'open', 'own']),
  files: z.array(weightFile).min(1),
  licence: z.string().min(1),
  commercialUse: z.boolean(),
  inputs: z.array(tensorSpec).min(1),
  outputs: z.array(tensorSpec).min(1),
  /** Pre- and post-processing constants; the family checks them. */
  constants: z.record(z.string(), z.unknown()),
  /** Where the facts were seen. */
  seen: z.string().min(1),
});

export const lockfileSchema = z.strictObject({
  version: z.literal(1),
  /** Per task, the models that `auto` takes, best first. */
  preferred: z.partialRecord(z.enum(modelTasks), z.array(z.string())),
  models: z.array(modelEntry),
});

export type ModelEntry = z.output<typeof modelEntry>;
export type Lockfile = z.output<typeof lockfileSchema>;
