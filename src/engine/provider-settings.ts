import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Settled } from './routing/backend.js';
import { type Config, ConfigError } from './config.js';
import { providers } from './providers/index.js';
import type { Credential, ModelRow, Provider } from './providers/provider.js';

/** One service as its owner has configured it. */
export interface ProviderSettings {
  provider: Provider;
  baseUrl: string;
  credentials: Credential[];
  /** The secret that the service signs its calls to us with. */
  callbackSecret: string | null;
  pollMs: number;
  rows: ModelRow[];
}

const keyShape = z.union([
  z
    .string()
    .min(1)
    .transform((key) => ({ key })),
  z.strictObject({ name: z.string().optional(), key: z.string().min(1) }),
  z.strictObject({ name: z.string().optional(), accessKey: z.string().min(1), secretKey: z.string().min(1) }),
]);

const needValue = z.union([z.string(), z.number(), z.boolean()]);
const capability = z.union([
  z.literal('any'),
  z.array(needValue),
  z.strictObject({ min: z.number(), max: z.number() }),
]);

/** A line of the table of models: of a model that is known only what is to be different. */
const rowShape = z.strictObject({
  operation: z.enum(['video-generation', 'image-generation', 'image-edit']).optional(),
  names: z.array(z.string()).optional(),
  upstream: z.string().min(1).optional(),
  capabilities: z.record(z.string(), capability).optional(),
  price: z.number().min(0).optional(),
  options: z.record(z.string(), needValue).optional(),
});

const serviceShape = z.strictObject({
  baseUrl: z.url().optional(),
  keys: z.array(keyShape).optional(),
  callbackSecret: z.string().min(1).optional(),
  pollSeconds: z.number().positive().optional(),
  /** By name; null takes a model out. */
  models: z.record(z.string(), rowShape.nullable()).optional(),
});

const fileShape = z.partialRecord(z.enum(providers.map(({ name }) => name) as [string, ...string[]]), serviceShape);
type ServiceSettings = z.output<typeof serviceShape>;

/**
 * The services that the owner has given a key for, in the environment (`DARKROOM_<SERVICE>_KEYS`) or in the file of
 * `DARKROOM_PROVIDERS`, in the order in which they are tried. Throws ConfigError; no message holds a key.
 */
export function readProviderSettings(config: Config): ProviderSettings[] {
  const file = readFile(config.DARKROOM_PROVIDERS);
  return providers
    .map((provider) => settingsOf(provider, file[provider.name] ?? {}, config))
    .filter(({ credentials, rows }) => credentials.length > 0 && rows.length > 0);
}

/** Every name that a model of this operation has in the tables of the program, configured or not. */
export function knownModels(operation: string): string[] {
  const rows = providers.flatMap((provider) => provider.rows.filter((row) => row.operation === operation));
  return [...new Set(rows.flatMap(({ model, names }) => [model, ...names]))];
}

function readFile(setting: string | undefined): Partial<Record<string, ServiceSettings>> {
  if (setting === undefined) return {};
  const isInline = setting.trimStart().startsWith('{');
  const text = isInline ? setting : readText(setting);
  const parsed = fileShape.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConfigError(`DARKROOM_PROVIDERS: \`${issue?.path.join('.') || 'it'}\`: ${issue?.message}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`DARKROOM_PROVIDERS: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** The text of a JSON error quotes what is around it, which may be a key. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError('DARKROOM_PROVIDERS: expected JSON, or the path of a JSON file');
  }
}

function settingsOf(provider: Provider, given: ServiceSettings, config: Config): ProviderSettings {
  const fromEnvironment = keysInEnvironment(provider.name, config).map((key) => ({ key }));
  return {
    provider,
    baseUrl: (given.baseUrl ?? provider.baseUrl).replace(/\/+$/, ''),
    credentials: [...(given.keys ?? []), ...fromEnvironment].map((key) => credentialOf(provider, key)),
    callbackSecret: given.callbackSecret ?? null,
    pollMs: given.pollSeconds === undefined ? provider.pollMs : given.pollSeconds * 1000,
    rows: rowsOf(provider, given, config),
  };
}

/** `DARKROOM_OPENAI_IMAGES_KEYS` for `openai-images`; several are separated by commas, a pair by a colon. */
function keysInEnvironment(name: string, config: Config): string[] {
  const variable = `DARKROOM_${name.toUpperCase().replaceAll('-', '_')}_KEYS`;
  const value = (config as Readonly<Record<string, unknown>>)[variable];
  return Array.isArray(value) ? value.filter((key) => typeof key === 'string') : [];
}

type Key = z.output<typeof keyShape>;

/** Named by a digest of its key unless the owner names it, so that stored jobs find it again in whatever order keys are listed. */
function credentialOf({ name: service }: Provider, given: Key): Credential {
  const named = 'name' in given ? given.name : undefined;
  const pair = 'accessKey' in given ? given : splitPair(service, given.key);
  const secret = pair ? pair.secretKey : (given as { key: string }).key;
  const name = named ?? `${service}-${createHash('sha256').update(secret).digest('hex').slice(0, 8)}`;
  return pair ? { name, key: '', accessKey: pair.accessKey, secretKey: pair.secretKey } : { name, key: secret };
}

function splitPair(service: string, key: string): { accessKey: string; secretKey: string } | null {
  const [accessKey = '', secretKey = '', ...more] = key.split(':');
  if (service !== 'kling' || secretKey === '' || more.length > 0) return null;
  return { accessKey, secretKey };
}

function rowsOf(provider: Provider, { models = {} }: ServiceSettings, config: Config): ModelRow[] {
  const known = provider.rows
    .filter(({ model, options }) => !options?.optIn || config.DARKROOM_GEMINI_VEO || models[model])
    .flatMap((row) => (models[row.model] === null ? [] : [merge(row, models[row.model])]));
  const added = Object.entries(models).flatMap(([model, given]) => {
    if (given === null || provider.rows.some((row) => row.model === model)) return [];
    return [newRow(provider, model, given)];
  });
  return [...known, ...added];
}

type Given = z.output<typeof rowShape>;

function merge(row: ModelRow, given: Given | null | undefined): ModelRow {
  const changes = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined));
  return { ...row, ...changes, settled: settledBy(given) };
}

function newRow({ name }: Provider, model: string, { operation, upstream, capabilities, ...given }: Given): ModelRow {
  if (!operation || !upstream || !capabilities) {
    throw new ConfigError(
      `DARKROOM_PROVIDERS: \`${name}.models.${model}\` is new here and needs operation, upstream and capabilities`,
    );
  }
  const { names = [], price = 0, options = {} } = given;
  return {
    operation,
    model,
    names,
    upstream,
    capabilities,
    price,
    options,
    settled: settledBy({ capabilities, ...given }),
  };
}

function settledBy(given: Given | null | undefined): Settled[] {
  return (['price', 'capabilities'] as const).filter((what) => given?.[what] !== undefined);
}
