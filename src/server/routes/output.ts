import type Router from '@koa/router';
import type { BlobFacts } from '../../engine/blobs/blob-store.js';
import { EngineError } from '../../engine/errors.js';
import { sendError } from '../errors.js';
import type { Context, RequestState } from '../request.js';
import type { Surface } from '../server.js';

/** What tells one state of a resource from another. */
interface Validators {
  etag: string;
  lastModified: string;
}

interface Range {
  /** Both ends inclusive. */
  start: number;
  end: number;
}

/** `GET /output/{id}`, for anybody who knows the name (it cannot be guessed): whole or in part, cacheable for as long as it is kept. */
export function addOutputRoutes(router: Router<RequestState>, surface: Surface): void {
  router.get('/output/:id', (ctx) => sendOutput(ctx, ctx.params.id ?? '', surface));
}

/** Answers with a stored output. Errors: `not_found`, `gone`. */
export async function sendOutput(ctx: Context, id: string, { engine, options, now }: Surface): Promise<void> {
  if (!/^[\w-]{1,120}\.\w{1,8}$/.test(id)) throw new EngineError('not_found', 'There is no such output');
  const facts = await engine.statOutput(id);
  const validators = { etag: `"${facts.etag}"`, lastModified: new Date(facts.createdAt).toUTCString() };
  const isKnownAlready = isKnown(ctx, validators);
  const range = isKnownAlready ? null : readRange(ctx, facts, validators);
  if (range === 'unsatisfiable') return refuseRange(ctx, facts);
  // Opened before a header says that all is well.
  if (ctx.method === 'GET' && !isKnownAlready) ctx.body = await engine.readOutput(id, range ?? undefined);
  const maxAgeSeconds = Math.max(0, Math.floor((facts.createdAt + options.retentionMs - now()) / 1000));
  describe(ctx, validators, maxAgeSeconds);
  if (isKnownAlready) ctx.status = 304;
  else describeContent(ctx, facts, range);
}

/** Whether the caller says that it has these bytes. Koa's `fresh` gives in to `no-cache`, which is meant for caches and is sent by `fetch`. */
function isKnown(ctx: Context, { etag, lastModified }: Validators): boolean {
  const known = ctx.get('if-none-match').trim();
  if (known === '') return Date.parse(ctx.get('if-modified-since')) >= Date.parse(lastModified);
  const tags = known.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known === '*' || tags.includes(etag);
}

/** The one range that is asked for; null for the whole, also for what is not a range of ours (RFC 9110, 14.2: ignore it). */
function readRange(ctx: Context, { bytes }: BlobFacts, validators: Validators): Range | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(ctx.get('range').replaceAll(' ', '')) ?? [];
  if ((first === '' && last === '') || !isStillThat(ctx, validators)) return null;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null;
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

/** Whether the caller's `If-Range`, if any, names what we have: compared strongly. */
function isStillThat(ctx: Context, { etag, lastModified }: Validators): boolean {
  return ['', etag, lastModified].includes(ctx.get('if-range'));
}

function refuseRange(ctx: Context, { bytes }: BlobFacts): void {
  const got = ctx.get('range').slice(0, 60);
  sendError(ctx, 'range_not_satisfiable', `Expected a range within ${bytes} bytes, got ${got}`);
  ctx.set('Content-Range', `bytes */${bytes}`);
}

function describe(ctx: Context, { etag, lastModified }: Validators, maxAgeSeconds: number): void {
  ctx.set({
    ETag: etag,
    'Last-Modified': lastModified,
    'Cache-Control': `public, max-age=${maxAgeSeconds}, immutable`,
    'Accept-Ranges': 'bytes',
    'Content-Disposition': 'inline',
  });
}

function describeContent(ctx: Context, { bytes, contentType }: BlobFacts, range: Range | null): void {
  ctx.status = range === null ? 200 : 206;
  ctx.type = contentType;
  ctx.length = range === null ? bytes : range.end - range.start + 1;
  if (range !== null) ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${bytes}`);
}
