import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { families } from '#src/models/index.js';
import { parseLockfile, readConstants, readLockfile } from '#src/models/lockfile.js';
import { lockfilePath } from '#src/models/weights.js';
import { tinyCutout, tinyUpscaler } from '../helpers/tiny-models.js';

const upscale = tinyUpscaler(2).entry;
const cutout = tinyCutout().entry;

function parse(lock: object): unknown {
  return parseLockfile(JSON.stringify({ version: 1, preferred: {}, models: [], ...lock }), 'models.lock.json');
}

describe('the lock file of the program', () => {
  const lock = readLockfile(lockfilePath);

  test.each(lock.models)('has a family for $id', ({ family, task }) => {
    expect(families.filter((known) => known.name === family && known.task === task)).toHaveLength(1);
  });

  test.each(lock.models)(
    'says of $id where its facts were seen, and no address without a digest',
    ({ seen, files }) => {
      expect(seen.length).toBeGreaterThan(20);
      for (const { url, sha256, bytes } of files)
        expect([sha256 === null, bytes === null]).toEqual(Array(2).fill(url === null && sha256 === null));
    },
  );
});

describe('parseLockfile', () => {
  test('takes entries and the order of preference', () => {
    const models = [upscale, cutout];
    const lock = { version: 1, models, preferred: { 'super-resolution': [upscale.id] } };
    expect(parse(lock)).toEqual(lock);
  });

  test('names the entry and the field that is wrong', () => {
    const files = [{ name: 'a.onnx', url: null, bytes: 1, sha256: 'abc' }];
    expect(() => parse({ models: [cutout, { ...upscale, files }] })).toThrow(
      `models.lock.json: model "${upscale.id}", files.0.sha256: Expected a SHA-256 digest in lower-case hex`,
    );
  });

  test.each(['../a.onnx', 'a/b.onnx', '.hidden', 'a\\b'])('refuses %s as the name of a file', (name) => {
    const files = [{ name, url: null, bytes: 1, sha256: null }];
    expect(() => parse({ models: [{ ...upscale, files }] })).toThrow('files.0.name: Expected a plain file name');
  });

  test('refuses an id twice', () => {
    expect(() => parse({ models: [upscale, upscale] })).toThrow(`"${upscale.id}" is taken by an entry before`);
  });

  test('refuses to prefer what is not there, or is for another task', () => {
    expect(() => parse({ preferred: { 'super-resolution': ['ghost'] } })).toThrow(
      'preferred.super-resolution.0: "ghost" is no model for super-resolution in this file',
    );
    expect(() => parse({ models: [cutout], preferred: { 'super-resolution': [cutout.id] } })).toThrow(
      'is no model for',
    );
  });

  test('refuses a bundled file without its digest', () => {
    const files = [{ name: 'a.onnx', url: null, bytes: 1, sha256: null }];
    expect(() => parse({ models: [{ ...upscale, tier: 'bundled', files }] })).toThrow('run scripts/lock-models.ts');
  });

  test('says so when the text is no JSON or no lock file', () => {
    expect(() => parseLockfile('{', 'x.json')).toThrow(expect.objectContaining({ code: 'model_unavailable' }));
    expect(() => parseLockfile('[]', 'x.json')).toThrow(expect.objectContaining({ code: 'model_unavailable' }));
  });
});

test('readLockfile says which file is missing', () => {
  const path = join(lockfilePath, 'nowhere.json');
  expect(() => readLockfile(path)).toThrow(
    expect.objectContaining({ code: 'model_unavailable', message: expect.stringContaining(path) }),
  );
});

test('readConstants names the model, its family and the constant', () => {
  const schema = z.strictObject({ scale: z.int(), overlap: z.string() });
  expect(() => readConstants(upscale, schema)).toThrow(
    /^Model "tiny-upscaler-x2" of family "upscaler": constants.overlap: /,
  );
});
