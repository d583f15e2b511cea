import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';

export const devices = ['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu', 'coreml', 'directml'] as const;
export type DeviceSetting = (typeof devices)[number];

const count = (minimum: number, maximum: number, unit = '') =>
  z.coerce
    .number({ error: `a whole number${unit}, ${minimum}..${maximum}` })
    .int(`a whole number${unit}, ${minimum}..${maximum}`)
    .min(minimum, `at least ${minimum}${unit}`)
    .max(maximum, `at most ${maximum}${unit}`);

const flag = z
  .enum(['0', '1', 'false', 'true'], { error: '0 or 1' })
  .transform((value) => value === '1' || value === 'true');

const isWebAddress = (value: string) => /^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/.test(value);

const isWebhookSecret = (value: string) => {
  const [, key] = /^whsec_(.*)$/.exec(value) ?? [];
  if (key === undefined) return value.length >= 16;
  const bytes = Buffer.from(key, 'base64');
  return bytes.toString('base64') === key && bytes.length >= 24 && bytes.length <= 64;
};

const isSchedule = (seconds: number[]) =>
  seconds[0] === 0 &&
  seconds.every((value, index) => index === 0 || (value > Number(seconds[index - 1]) && value <= 604_800));

const proxy = (scheme: string) =>
  z.string().default('').describe(`Proxy for downloads of models over ${scheme}, in capitals or not`);
const keysFor = (title: string) =>
  z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((key) => key.trim())
        .filter(Boolean),
    )
    .describe(`Keys for ${title}, separated by commas; nothing is sent there without one`);

const services = [
  ['DARKROOM_KLING_KEYS', 'Kling, each a key or `access:secret`'],
  ['DARKROOM_FAL_KEYS', 'fal'],
  ['DARKROOM_ARK_KEYS', 'Ark (Seedance, Seedream)'],
  ['DARKROOM_RUNWAY_KEYS', 'Runway'],
  ['DARKROOM_LUMA_KEYS', 'Luma'],
  ['DARKROOM_GEMINI_KEYS', 'Gemini'],
  ['DARKROOM_REPLICATE_KEYS', 'Replicate'],
  [
    'DARKROOM_OPENAI_VIDEOS_KEYS',
    'a gateway in the shape of the OpenAI videos API, whose address is in `DARKROOM_PROVIDERS`',
  ],
  ['DARKROOM_OPENAI_IMAGES_KEYS', 'OpenAI images, whose models are in `DARKROOM_PROVIDERS`'],
  ['DARKROOM_STABILITY_KEYS', 'Stability'],
] as const;
type ServiceKeys = (typeof services)[number][0];

/** Every setting: its variable, what it accepts, its default and one sentence for the README's table. */
export const settings = z.object({
  DARKROOM_HOST: z.string().min(1).default('127.0.0.1').describe('Address the server listens on'),
  DARKROOM_PORT: count(0, 65_535).default(8787).describe('Port; 0 picks a free one and prints it'),
  DARKROOM_DATA: z.string().min(1).default('./data').describe('Folder of the database, the files and pulled models'),
  DARKROOM_DEVICE: z
    .enum(devices, { error: `one of ${devices.join(', ')}` })
    .default('auto')
    .describe('Where models run; `auto` takes the fastest device that gives the right answer'),
  DARKROOM_REQUIRE_GPU: flag.default(false).describe('Refuse to start when models would run on the CPU'),
  DARKROOM_AUTH: z
    .enum(['off', 'required'], { error: 'off or required' })
    .optional()
    .describe('`off` (the default of `npm start` on a loopback address) or `required` (the default otherwise)'),
  PUBLIC_BASE_URL: z
    .string()
    .refine(isWebAddress, 'an http(s) address without query, such as https://media.example.com')
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .describe('Address that clients see, the start of every `output_url`; default: the Host they asked for'),
  DARKROOM_ALLOW_HOSTS: z
    .string()
    .default('')
    .transform((value) =>
      value
        .split(',')
        .map((host) => host.trim())
        .filter(Boolean),
    )
    .describe(
      'Host names (also `*.lan`), addresses and CIDR ranges of your own network that may be downloaded from and called by webhooks, with an optional `:port`, separated by commas',
    ),
  DARKROOM_WEBHOOK_SECRET: z
    .string()
    .refine(isWebhookSecret, 'at least 16 characters, or whsec_ and the base64 of 24 to 64 bytes')
    .optional()
    .describe('Signs every webhook; default: the API key that submitted the job'),
  DARKROOM_WEBHOOK_SCHEDULE: z
    .string()
    .default('0,5,30')
    .transform((value) => value.split(',').map((seconds) => (seconds.trim() === '' ? Number.NaN : Number(seconds))))
    .refine(isSchedule, 'ascending seconds that begin with 0, up to a week, such as 0,5,30,300,3600')
    .describe('When a webhook is attempted, in seconds after the end of its job'),
  DARKROOM_WORKERS: count(1, 256)
    .optional()
    .describe('Worker threads that run models; default: found by a short probe'),
  DARKROOM_THREADS: count(1, 256).optional().describe('Threads of one model run; default: found by a short probe'),
  DARKROOM_MODEL_MEMORY_MB: count(64, 1_048_576, ' MB')
    .default(2048)
    .describe('Memory for loaded models, all workers together'),
  DARKROOM_MAX_QUEUE: count(1, 10_000_000).default(10_000).describe('Jobs that may wait; one more is refused with 429'),
  DARKROOM_MAX_UPLOAD_MB: count(1, 4096, ' MB').default(50).describe('Largest picture in megabytes'),
  DARKROOM_MAX_MEGAPIXELS: count(1, 2000, ' million').default(50).describe('Largest picture in million pixels'),
  DARKROOM_MAX_SIDE: count(16, 65_535, ' pixels').default(30_000).describe('Longest side of a picture in pixels'),
  DARKROOM_DOWNLOAD_SECONDS: count(1, 600, ' seconds')
    .default(20)
    .describe('How long fetching an `image_url` may take'),
  DARKROOM_PATIENCE_SECONDS: count(1, 60, ' seconds')
    .default(3)
    .describe('How long the answer waits for an `image_url`; what is slower is fetched by the job itself'),
  DARKROOM_JOB_SECONDS: count(1, 86_400, ' seconds').default(600).describe('How long one attempt of a job may run'),
  DARKROOM_RETENTION_DAYS: count(1, 3650, ' days').default(7).describe('Days that results are kept'),
  DARKROOM_MIN_FREE_MB: count(0, 10_485_760, ' MB')
    .default(512)
    .describe('Free disk space under which uploads are refused with 507'),
  DARKROOM_GRACE_SECONDS: count(0, 3600, ' seconds')
    .default(20)
    .describe('How long running jobs may finish when the server is stopped'),
  DARKROOM_ALLOW_NONCOMMERCIAL: flag.default(false).describe('Also load weights whose licence forbids commercial use'),
  DARKROOM_PRESETS: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of presets, JSON files that a request names in `preset`; default: `presets` in DARKROOM_DATA'),
  DARKROOM_FFMPEG: z
    .string()
    .optional()
    .describe('The ffmpeg that encodes clips; default: the newer one of that on the PATH and that of the npm package'),
  DARKROOM_MODEL_MIRROR: z
    .string()
    .refine(isWebAddress, 'an http(s) address without query, such as https://models.example.com/darkroom')
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .describe('Address that `models pull` asks first, for `<id>/<file>`; digests are checked all the same'),
  HTTPS_PROXY: proxy('https'),
  HTTP_PROXY: proxy('http'),
  NO_PROXY: z.string().default('').describe('Hosts that are asked without the proxy, separated by commas; `*` is all'),
  DARKROOM_PROVIDERS: z
    .string()
    .optional()
    .describe('JSON, or the path of a JSON file, with addresses, keys, models and secrets of remote services'),
  ...(Object.fromEntries(services.map(([variable, title]) => [variable, keysFor(title)])) as Record<
    ServiceKeys,
    ReturnType<typeof keysFor>
  >),
  DARKROOM_GEMINI_VEO: flag
    .default(false)
    .describe('Also use Veo on the Gemini API, of which accepted jobs were reported lost'),
  DARKROOM_ROUTING: z
    .enum(['fixed', 'cheapest', 'quality', 'latency'], { error: 'fixed, cheapest, quality or latency' })
    .default('fixed')
    .describe('In which order backends are tried that were not asked for by name'),
  DARKROOM_AUTO_MODEL: z
    .string()
    .min(1)
    .default('kling-o3-pro')
    .describe('What the model `auto` of clips stands for, where it is configured'),
  DARKROOM_ROUTING_MARGIN: z.coerce
    .number({ error: 'a number, 0..100' })
    .min(0, 'at least 0')
    .max(100, 'at most 100')
    .default(5)
    .describe('By how many points of 100 a backend must be better for `quality` to leave what `auto` stands for'),
  DARKROOM_REMOTE_JOBS: count(1, 10_000)
    .default(100)
    .describe('Jobs that may be with remote services at the same time'),
  DARKROOM_MAX_RESULT_MB: count(1, 10_240, ' MB')
    .default(500)
    .describe('Largest result that is taken from a remote service'),
  DARKROOM_LOG: z
    .enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug'], { error: 'silent, fatal, error, warn, info or debug' })
    .default('info')
    .describe('Log level; logs are JSON lines on standard error'),
});

/** Validated settings, frozen. */
export type Config = Readonly<z.output<typeof settings>>;

/** A setting that cannot be used; the message names each variable, what it should be and what it is. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * The settings from an environment; an empty value counts as unset. The only reader of `process.env`.
 * Throws ConfigError.
 */
export function readConfig(env: Record<string, string | undefined> = environment()): Config {
  const given = Object.fromEntries(
    Object.entries({ ...proxiesInLowerCase(env), ...env }).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = settings.safeParse(given);
  if (!parsed.success) throw new ConfigError(explain(parsed.error, given));
  return Object.freeze({ ...parsed.data, DARKROOM_DATA: resolve(parsed.data.DARKROOM_DATA) });
}

/** Where presets are looked for. */
export function presetsFolder({ DARKROOM_PRESETS, DARKROOM_DATA }: Config): string {
  return DARKROOM_PRESETS ?? join(DARKROOM_DATA, 'presets');
}

/** Where pulled models lie. */
export function modelsFolder(config: Config): string {
  return join(config.DARKROOM_DATA, 'models');
}

/** Variables that look like ours and are not: probably misspelt. */
export function unknownSettings(env: Record<string, string | undefined> = environment()): string[] {
  return Object.keys(env).filter((name) => name.startsWith('DARKROOM_') && !(name in settings.shape));
}

/** The environment for a child process: ours, and `defaults` for what it leaves open. */
export function environmentWith(defaults: Record<string, string>): Record<string, string | undefined> {
  return { ...defaults, ...process.env };
}

/** Most programs read these names in lower case first, some in lower case only. */
function proxiesInLowerCase(env: Record<string, string | undefined>): Record<string, string> {
  const found = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'].map((name) => [name, env[name.toLowerCase()]] as const);
  return Object.fromEntries(found.filter((pair): pair is readonly [string, string] => Boolean(pair[1])));
}

/** `.env` of the working directory, overruled by the real environment. */
function environment(): Record<string, string | undefined> {
  return { ...readDotEnv(), ...process.env };
}

function readDotEnv(): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError(`.env cannot be read: ${(error as Error).message}`);
  }
}

function explain(error: z.ZodError, given: Record<string, string | undefined>): string {
  return error.issues
    .map((issue) => {
      const name = String(issue.path[0]);
      return `${name}: expected ${issue.message}, got ${shown(name, given[name] ?? '')}`;
    })
    .join('\n');
}

/** A secret that is wrong may be nearly right. */
function shown(name: string, value: string): string {
  return /(SECRET|KEY|TOKEN)S?$/.test(name) ? `${value.length} characters` : `"${value}"`;
}
