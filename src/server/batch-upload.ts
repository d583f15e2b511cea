import type { BatchItem, ReceivedFile } from '../engine/api.js';
import { EngineError, toEngineError } from '../engine/errors.js';
import type { Operation } from '../engine/operations/operation.js';
import type { Context } from './request.js';
import {
  type Intake,
  kindOf,
  orDiscard,
  type PictureNames,
  pictureNames,
  readFormBody,
  readObject,
  takePictures,
} from './upload.js';
import { type Notice, takeNotice } from './webhook-request.js';

type Fields = Record<string, unknown>;

/** What a batch asks for: its items, and whom to tell of the end of the whole. */
export interface BatchRequest extends Pick<Notice, 'webhook'> {
  items: BatchItem[];
}

interface Reading {
  operation: Operation;
  /** Name of the list of items in JSON. */
  list: string;
  intake: Intake;
  baseUrl: string;
}

/**
 * The items of a batch: the entries of a JSON list, each over the params that all share, or the files of a form. What
 * is wrong with an entry becomes its refusal. Received files are the caller's; when it rejects none is left.
 * Errors: as `readSubmission`.
 */
export async function readBatch(ctx: Context, reading: Reading): Promise<BatchRequest> {
  const names = batchNames(reading.operation);
  return kindOf(ctx) === 'form' ? readFiles(ctx, names, reading) : readList(ctx, names, reading);
}

/** The main picture of an operation may also come under the plural of its names. */
function batchNames(operation: Operation): PictureNames {
  const names = pictureNames(operation);
  const [main] = operation.pictures;
  if (main)
    for (const name of [`${main.field}s`, `${main.field}s[]`, 'files', 'files[]', 'file[]'])
      names.set(name, { ...main, max: 1 });
  return names;
}

async function readFiles(ctx: Context, names: PictureNames, reading: Reading): Promise<BatchRequest> {
  const { operation, intake } = reading;
  const { fields, files } = await readFormBody(ctx, { names, maxFiles: operation.batch?.max ?? 1, intake });
  return orDiscard(files, intake, async () => {
    const shared: Fields = Object.fromEntries(fields);
    const { webhook, autoRetry } = takeNotice(shared, reading, ctx);
    const items: BatchItem[] = [];
    for (const file of files) items.push({ ...(await takeItem(shared, [file], { names, intake })), autoRetry });
    return { items, webhook };
  });
}

async function readList(ctx: Context, names: PictureNames, reading: Reading): Promise<BatchRequest> {
  const { intake, list } = reading;
  const { [list]: entries, ...shared } = await readObject(ctx, intake.limits);
  checkList(entries, reading);
  const { webhook, autoRetry } = takeNotice(shared, reading, ctx);
  const items: BatchItem[] = [];
  const received: ReceivedFile[] = [];
  return orDiscard(received, intake, async () => {
    for (const [index, entry] of entries.entries()) {
      const item = await readEntry(entry, { shared, autoRetry, index, names, ctx, ...reading });
      received.push(...item.inputs.filter((input) => 'blob' in input));
      items.push(item);
    }
    return { items, webhook };
  });
}

function checkList(entries: unknown, { list, operation }: Reading): asserts entries is unknown[] {
  const max = operation.batch?.max ?? 1;
  if (Array.isArray(entries) && entries.length >= 1 && entries.length <= max) return;
  const got = Array.isArray(entries) ? entries.length : entries === undefined ? 'none' : `a ${typeof entries}`;
  const message = `Expected \`${list}\` to be a list of 1 to ${max}, got ${got}`;
  throw new EngineError('invalid_input', message, { param: list });
}

interface Entry extends Reading {
  shared: Fields;
  autoRetry: boolean;
  index: number;
  names: PictureNames;
  ctx: Context;
}

async function readEntry(entry: unknown, reading: Entry): Promise<BatchItem> {
  const { shared, autoRetry, names, ctx, intake } = reading;
  let params = shared;
  try {
    const own = ownFields(entry, reading);
    params = { ...shared, ...own };
    const isSaid = own.webhook_auto_retry !== undefined;
    const notice = takeNotice(params, reading, ctx);
    return { ...(await takeItem(params, [], { names, intake })), ...notice, ...(!isSaid && { autoRetry }) };
  } catch (error) {
    return refused(params, names, error);
  }
}

/** An entry that is text only is the prompt, or the picture where there are no prompts. */
function ownFields(entry: unknown, { list, index, operation }: Entry): Fields {
  if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return entry as Fields;
  const main = 'prompt' in operation.params.shape ? 'prompt' : operation.pictures[0]?.field;
  if (typeof entry === 'string' && main !== undefined) return { [main]: entry };
  const got = JSON.stringify(entry).slice(0, 60);
  throw new EngineError('invalid_input', `Expected \`${list}[${index}]\` to be an object, got ${got}`);
}

/** One item with its pictures. Those that came as files are kept or discarded with it. */
async function takeItem(
  params: Fields,
  files: ReceivedFile[],
  { names, intake }: { names: PictureNames; intake: Intake },
): Promise<BatchItem> {
  try {
    return await takePictures(params, { names, files, intake });
  } catch (error) {
    await intake.engine.discard(files);
    return refused(params, names, error);
  }
}

/** Pictures stay out of the row of a job that will not be done. Errors: what is not the item's own fault. */
function refused(params: Fields, names: PictureNames, thrown: unknown): BatchItem {
  const refusal = toEngineError(thrown);
  if (refusal.code !== 'invalid_input' && refusal.code !== 'too_large') throw refusal;
  const words = Object.entries(params).filter(([name, value]) => !names.has(name) || /^https?:/i.test(String(value)));
  return { params: Object.fromEntries(words), inputs: [], refusal };
}
