import { Readable } from 'node:stream';
import type { Engine, LinkedFile, ReceivedFile, Submission } from '../engine/api.js';
import { EngineError } from '../engine/errors.js';
import type { Operation, PictureField } from '../engine/operations/operation.js';
import { type Form, readForm } from './form.js';
import { type JsonLimits, readJson, tooLarge } from './json-body.js';
import type { Context } from './request.js';

export interface UploadLimits {
  /** Of one file. */
  maxUploadBytes: number;
  json: JsonLimits;
}

export interface Intake {
  engine: Pick<Engine, 'receive' | 'discard'>;
  limits: UploadLimits;
  takeOwn?: TakeOwn | undefined;
}

/** Takes what concerns the answer and not the job out of the params, which came with so many pictures; may throw. */
export type TakeOwn = (params: Record<string, unknown>, pictures: number) => void;

/** Room for the text fields and part headers of a form. */
const formOverhead = 8_000_000;

/**
 * The params and pictures of a request: multipart, JSON, or the query of a GET. Received files are the caller's; when it rejects none is left.
 * Errors: `invalid_input`, `unsupported` (another content type), `too_large`, `busy`, `storage_full`, `cancelled`.
 */
export async function readSubmission(
  ctx: Context,
  operation: Operation,
  intake: Intake,
): Promise<Pick<Submission, 'params' | 'inputs'>> {
  const names = pictureNames(operation);
  if (ctx.method === 'GET') return readQuery(ctx, names, intake);
  return kindOf(ctx) === 'form' ? readMultipart(ctx, names, intake) : readJsonBody(ctx, names, intake);
}

/** How the body of a request is written. Errors: `unsupported`. */
export function kindOf(ctx: Context): 'form' | 'json' {
  const type = ctx.get('content-type').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'multipart/form-data' || type === 'application/x-www-form-urlencoded') return 'form';
  if (type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type)) return 'json';
  const got = type === '' ? 'none' : `\`${type.slice(0, 100)}\``;
  const message = `Expected the content type multipart/form-data (curl -F image=@photo.jpg) or application/json, got ${got}`;
  throw new EngineError('unsupported', message, { param: 'Content-Type' });
}

/** By the name under which a picture may come, what it is. */
export type PictureNames = Map<string, Required<Pick<PictureField, 'field' | 'max'>>>;

/**
 * Under which names a picture may come: as a file, or as text that is an address or base64. The main picture of an
 * operation also under the names that other services use.
 */
export function pictureNames({ pictures }: Operation): PictureNames {
  const names: PictureNames = new Map();
  for (const [index, { field, max = 1 }] of pictures.entries()) {
    const others = index === 0 ? ['file', 'url', 'input_reference', 'input_reference[image_url]'] : [];
    const several = max > 1 ? [`${field}_urls`] : [];
    const usual = [field, `${field}[]`, `${field}_url`, `${field}_file`, `${field}_file_b64`];
    for (const name of [...usual, ...several, ...others]) names.set(name, { field, max });
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
  const { fields, files } = await readFormBody(ctx, { names, maxFiles, intake });
  return orDiscard(files, intake, () => takePictures(Object.fromEntries(fields), { names, files, intake }));
}

async function readQuery(ctx: Context, names: PictureNames, intake: Intake) {
  const files: ReceivedFile[] = [];
  return orDiscard(files, intake, () => takePictures({ ...ctx.query }, { names, files, intake }));
}

async function readJsonBody(ctx: Context, names: PictureNames, intake: Intake) {
  const body = await readObject(ctx, intake.limits);
  const files: ReceivedFile[] = [];
  return orDiscard(files, intake, () => takePictures(body, { names, files, intake }));
}

interface FormReading {
  names: PictureNames;
  maxFiles: number;
  intake: Intake;
}

/** The fields and files of a form with up to so many pictures. Errors: as `readSubmission`. */
export async function readFormBody(ctx: Context, { names, maxFiles, intake }: FormReading): Promise<Form> {
  const maxBytes = maxFiles * intake.limits.maxUploadBytes + formOverhead;
  if (declaredBytes(ctx) > maxBytes) throw formTooLarge(names, intake.limits);
  continueReading(ctx);
  return readForm(ctx.req, {
    engine: intake.engine,
    maxFiles,
    fieldOf(partName) {
      const picture = names.get(partName);
      if (picture === undefined) throw unknownFile(partName, names);
      return picture.field;
    },
  });
}

/** The JSON object of a request. Errors: as `readSubmission`. */
export async function readObject(ctx: Context, limits: UploadLimits): Promise<Record<string, unknown>> {
  if (declaredBytes(ctx) > limits.json.maxBytes) throw tooLarge(limits.json.maxBytes);
  continueReading(ctx);
  return readJson(ctx.req, limits.json);
}

function declaredBytes(ctx: Context): number {
  return Number(ctx.get('content-length') || 0);
}

/** Only now is a client that asked first (`Expect: 100-continue`) told to send its body. */
function continueReading(ctx: Context): void {
  if (ctx.get('expect').toLowerCase() === '100-continue') ctx.res.writeContinue();
}

/** Does a step that the files belong to; they go when it fails. */
export async function orDiscard<T>(files: ReceivedFile[], { engine }: Intake, step: () => Promise<T>): Promise<T> {
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

/** Separates pictures that came as text from the other params. Errors: `invalid_input`, and those of `Engine.receive`. */
export async function takePictures(body: Record<string, unknown>, { names, files, intake }: Taking) {
  const links: LinkedFile[] = [];
  const params: [string, unknown][] = [];
  // What came for each field, in words.
  const taken: Taken = new Map();
  for (const { field } of files) note(taken, pictureOf(names, field), 'a file');
  for (const [name, value] of Object.entries(body)) {
    const picture = names.get(name);
    if (picture === undefined) params.push([name, value]);
    if (picture === undefined || value === null || value === '') continue;
    for (const sent of picture.max > 1 && Array.isArray(value) ? value : [value]) {
      note(taken, picture, `\`${name}\``);
      const { field } = picture;
      const each = unwrap(sent);
      if (isAddress(each)) links.push({ field, url: each.trim() });
      else files.push(await intake.engine.receive(Readable.from([decodeBase64(each, name)]), field));
    }
  }
  const rest = Object.fromEntries(params);
  intake.takeOwn?.(rest, files.length + links.length);
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

/** OpenAI's clients write `{"image_url": "https://…"}` where an address would do. */
function unwrap(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'image_url' in value ? value.image_url : value;
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
