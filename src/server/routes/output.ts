import type Router from '@koa/router';
import type { BlobFacts } from '../../engine/blobs/blob-store.js';
import { EngineError } from '../../engine/errors.js';
import { sendError } from '../errors.js';
import type { Context, RequestState } from '../request.js';
import type { Surface } from '../server.js';

interface Range {
  /** Both ends inclusive. */
  start: number;
  end: number;
}

/** `GET /output/{id}`, by anybody who knows the name (it cannot be guessed): whole or in part, cacheable for as long as it is kept. */
export function addOutputRoutes(router: Router<RequestState>, { engine, options, now }: Surface): void {
  router.get('/output/:id', async (ctx) => {
    const id = ctx.params.id ?? '';
    if (!/^[\w-]{1,120}\.\w{1,8}$/.test(id)) throw new EngineError('not_found', 'There is no such output');
    const facts = await engine.statOutput(id);
    describe(ctx, facts, Math.max(0, Math.floor((facts.createdAt + options.retentionMs - now()) / 1000)));
    ctx.status = 200;
    if (isKnown(ctx, facts)) {
      ctx.status = 304;
      return;
    }
    const range = readRange(ctx, facts);
    if (range === 'unsatisfiable') return refuseRange(ctx, facts);
    if (range !== null) {
      ctx.status = 206;
      ctx.set('Content-Range', `bytes ${range.start}-${range.end}/${facts.bytes}`);
    }
    // Before the length: a stream as body takes the length of another body away.
    if (ctx.method !== 'HEAD') ctx.body = await engine.readOutput(id, range ?? undefined);
    ctx.length = range === null ? facts.bytes : range.end - range.start + 1;
  });
}

function describe(ctx: Context, facts: BlobFacts, maxAgeSeconds: number): void {
  ctx.type = facts.contentType;
  ctx.etag = facts.etag;
  ctx.lastModified = new Date(facts.createdAt);
  ctx.set({
    'Accept-Ranges': 'bytes',
    'Cache-Control': `public, max-age=${maxAgeSeconds}, immutable`,
    'Content-Disposition': 'inline',
  });
}

/** Whether the caller says that it has these bytes. Koa's `fresh` gives in to `no-cache`, which is meant for caches and is sent by `fetch`. */
function isKnown(ctx: Context, { createdAt }: BlobFacts): boolean {
  const known = ctx.get('if-none-match').trim();
  if (known === '') return Date.parse(ctx.get('if-modified-since')) >= Math.floor(createdAt / 1000) * 1000;
  const tags = known.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known === '*' || tags.includes(ctx.response.get('ETag'));
}

/** The one range that is asked for; null for the whole, also for what is not a range of ours (RFC 9110, 14.2: ignore it). */
function readRange(ctx: Context, { bytes }: BlobFacts): Range | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(ctx.get('range').replaceAll(' ', '')) ?? [];
  if ((first === '' && last === '') || !isStillThat(ctx)) return null;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null;
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

/** Whether the caller's `If-Range`, if any, names what we have: compared strongly. */
function isStillThat(ctx: Context): boolean {
  const condition = ctx.get('if-range');
  return condition === '' || condition === ctx.response.get('ETag') || condition === ctx.response.get('Last-Modified');
}

function refuseRange(ctx: Context, { bytes }: BlobFacts): void {
  ctx.remove('Content-Type');
  sendError(
    ctx,
    'range_not_satisfiable',
    `Expected a range within ${bytes} bytes, got ${ctx.get('range').slice(0, 60)}`,
  );
  ctx.set('Content-Range', `bytes */${bytes}`);
}
