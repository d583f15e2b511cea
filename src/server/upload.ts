import { Readable } from 'node:stream';
import type { Engine, LinkedFile, ReceivedFile, Submission } from '../engine/api.js';
import { EngineError } from '../engine/errors.js';
import type { Operation, PictureField } from '../engine/operations/operation.js';
import { readForm } from './form.js';
import { type JsonLimits, readJson, tooLarge } from './json-body.js';
import type { Context } from './request.js';

export interface UploadLimits {
  /** Of one file. */
  maxUploadBytes: number;
  json: JsonLimits;
}

interface Intake {
  engine: Pick<Engine, 'receive' | 'discard'>;
  limits: UploadLimits;
  /** Takes what concerns the answer and not the job out of the params; may throw. */
  takeOwn?: ((params: Record<string, unknown>) => void) | undefined;
}

/** Room for the text fields and part headers of a form. */
const formOverhead = 8_000_000;

/**
 * The params and pictures of a request, multipart or JSON. Received files are the caller's; when it rejects none is left.
 * Errors: `invalid_input`, `unsupported` (another content type), `too_large`, `busy`, `storage_full`, `cancelled`.
 */
export async function readSubmission(
  ctx: Context,
  operation: Operation,
  intake: Intake,
): Promise<Pick<Submission, 'params' | 'inputs'>> {
  const type = ctx.get('content-type').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const names = pictureNames(operation);
  if (type === 'multipart/form-data') return readMultipart(ctx, names, intake);
  if (type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type)) return readJsonBody(ctx, names, intake);
  const got = type === '' ? 'none' : `\`${type.slice(0, 100)}\``;
  const message = `Expected the content type multipart/form-data (curl -F image=@photo.jpg) or application/json, got ${got}`;
  throw new EngineError('unsupported', message, { param: 'Content-Type' });
}

/** By the name under which a picture may come, what it is. */
type PictureNames = Map<string, Required<Pick<PictureField, 'field' | 'max'>>>;

/**
 * Under which names a picture may come: as a file, or as text that is an address or base64. The main picture of an
 * operation also under the names that other services use.
 */
function pictureNames({ pictures }: Operation): PictureNames {
  const names: PictureNames = new Map();
  for (const [index, { field, max = 1 }] of pictures.entries()) {
    const others = index === 0 ? ['file', `${field}_file`] : [];
    const several = max > 1 ? [`${field}_urls`] : [];
    for (const name of [field, `${field}[]`, `${field}_url`, ...several, ...others]) names.set(name, { field, max });
  }
  return names;
}

/** How many pictures an operation takes at most. */
function mostPictures(names: PictureNames): number {
  const byField = new Map([...names.values()].map(({ field, max }) => [field, max]));
  return [...byField.values()].reduce((sum, max) => sum + max, 0);
}

async function readMultipart(ctx: Context, names: PictureNames, intake: Intake) {
  const maxFiles = mostPictures(names);
  const maxBytes = maxFiles * intake.limits.maxUploadBytes + formOverhead;
  if (declaredBytes(ctx) > maxBytes) throw formTooLarge(names, intake.limits);
  continueReading(ctx);
  const { fields, files } = await readForm(ctx.req, {
    engine: intake.engine,
    maxFiles,
    fieldOf(partName) {
      const picture = names.get(partName);
      if (picture === undefined) throw unknownFile(partName, names);
      return picture.field;
    },
  });
  return orDiscard(files, intake, () => takePictures(Object.fromEntries(fields), { names, files, intake }));
}

async function readJsonBody(ctx: Context, names: PictureNames, intake: Intake) {
  if (declaredBytes(ctx) > intake.limits.json.maxBytes) throw tooLarge(intake.limits.json.maxBytes);
  continueReading(ctx);
  const body = await readJson(ctx.req, intake.limits.json);
  const files: ReceivedFile[] = [];
  return orDiscard(files, intake, () => takePictures(body, { names, files, intake }));
}

function declaredBytes(ctx: Context): number {
  return Number(ctx.get('content-length') || 0);
}

/** Only now is a client that asked first (`Expect: 100-continue`) told to send its body. */
function continueReading(ctx: Context): void {
  if (ctx.get('expect').toLowerCase() === '100-continue') ctx.res.writeContinue();
}

async function orDiscard<T>(files: ReceivedFile[], { engine }: Intake, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    await engine.discard(files);
    throw error;
  }
}

interface Taking {
  names: PictureNames;
  /** Files that came as parts; pictures that come as base64 are added. */
  files: ReceivedFile[];
  intake: Intake;
}

/** Separates pictures that came as text from the other params. */
async function takePictures(body: Record<string, unknown>, { names, files, intake }: Taking) {
  const links: LinkedFile[] = [];
  const params: [string, unknown][] = [];
  // What came for each field, in words.
  const taken: Taken = new Map();
  for (const { field } of files) note(taken, pictureOf(names, field), 'a file');
  for (const [name, value] of Object.entries(body)) {
    const picture = names.get(name);
    if (picture === undefined) params.push([name, value]);
    if (picture === undefined || value === null || value === '') continue;
    for (const each of picture.max > 1 && Array.isArray(value) ? value : [value]) {
      note(taken, picture, `\`${name}\``);
      const { field } = picture;
      if (isAddress(each)) links.push({ field, url: each.trim() });
      else files.push(await intake.engine.receive(Readable.from([decodeBase64(each, name)]), field));
    }
  }
  const rest = Object.fromEntries(params);
  intake.takeOwn?.(rest);
  return { params: rest, inputs: [...files, ...links] };
}

type Taken = Map<string, string[]>;
type Picture = { field: string; max: number };

/** Notes one more picture for a field. Errors: `invalid_input` when it takes no more. */
function note(taken: Taken, { field, max }: Picture, what: string): void {
  const before = taken.get(field) ?? [];
  if (before.length < max) return void taken.set(field, [...before, what]);
  const [other] = before;
  if (max > 1) throw excess(field, `at most ${max} pictures`, 'more');
  throw excess(field, 'one picture', other === what ? 'two files' : `${other} and ${what}`);
}

function pictureOf(names: PictureNames, field: string): Picture {
  return names.get(field) ?? { field, max: 1 };
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && /^(https?|data):/i.test(value.trimStart());
}

function decodeBase64(value: unknown, name: string): Buffer {
  const text = typeof value === 'string' ? value.replace(/\s+/g, '') : '';
  if (!/^[\w+/-]+={0,2}$/.test(text)) {
    const got = typeof value === 'string' ? `"${value.slice(0, 40)}"` : `a ${typeof value}`;
    const message = `Expected \`${name}\` to be an https address, a data URI or base64, got ${got}`;
    throw new EngineError('invalid_input', message, { param: name });
  }
  return Buffer.from(text, 'base64');
}

function unknownFile(partName: string, names: PictureNames): EngineError {
  const param = partName.slice(0, 100);
  const known = [...new Set([...names.values()].map(({ field }) => `\`${field}\``))].join(' or ');
  return new EngineError('invalid_input', `Expected the file in ${known}, got one in \`${param}\``, { param });
}

function excess(field: string, expected: string, got: string): EngineError {
  return new EngineError('invalid_input', `Expected ${expected} for \`${field}\`, got ${got}`, { param: field });
}

function formTooLarge(names: PictureNames, { maxUploadBytes }: UploadLimits): EngineError {
  const [param = 'image'] = names.keys();
  const limit = Math.floor(maxUploadBytes / 1_000_000);
  return new EngineError('too_large', `Expected a picture of at most ${limit} MB`, { param });
}
