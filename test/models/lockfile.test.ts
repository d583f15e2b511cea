import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { families, familyOf } from '#src/models/index.js';
import { parseLockfile, readConstants, readLockfile } from '#src/models/lockfile.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { tinyCutout, tinyUpscaler } from '../helpers/tiny-models.js';

const upscale = tinyUpscaler(2).entry;
const cutout = tinyCutout().entry;

function parse(lock: object): unknown {
  return parseLockfile(JSON.stringify({ version: 1, preferred: {}, models: [], ...lock }), 'models.lock.json');
}

describe('the lock file of the program', () => {
  const lock = readLockfile(lockfilePath);

  const known = lock.models.filter(({ family, task }) =>
    families.some((each) => each.name === family && each.task === task),
  );

  test.each(known)('gives $id the constants of its family', (entry) => {
    expect(familyOf(entry).name).toBe(entry.family);
  });

  test('has a family for everything that comes with the program, and prefers it where there is something', () => {
    const bundled = lock.models.filter(({ tier }) => tier === 'bundled');
    expect(bundled.filter((entry) => !known.includes(entry)).map(({ id }) => id)).toEqual([]);
    const preferred = Object.values(lock.preferred).flat();
    expect(bundled.filter(({ id }) => !preferred.includes(id)).map(({ id }) => id)).toEqual([]);
  });

  test('lets auto find a model that may be used in a shop for every task that has one', () => {
    const tasks = new Set(lock.models.filter(({ commercialUse }) => commercialUse).map(({ task }) => task));
    expect(Object.keys(lock.preferred).sort()).toEqual([...tasks].sort());
    const forShops = new Set(lock.models.filter(({ commercialUse }) => commercialUse).map(({ id }) => id));
    expect(
      Object.values(lock.preferred)
        .flat()
        .filter((id) => !forShops.has(id)),
    ).toEqual([]);
  });

  test.each(lock.models)('says of $id where its facts were seen, and what it may be used for', (entry) => {
    expect(entry.seen.length).toBeGreaterThan(20);
    if (entry.commercialUse === null) expect(`${entry.licence} ${entry.notes}`).toMatch(/check|forbid|read/);
    if (entry.commercialUse !== true) expect(entry.licenceUrl).toMatch(/^https:/);
  });

  test.each(lock.models)('has a file of $id nowhere but under its own name', ({ files }) => {
    expect(new Set(files.map(({ name }) => name.toLowerCase())).size).toBe(files.length);
  });

  test.each([
    ['background-removal', /^(u2netp?|isnet-general-use|birefnet-general(-lite(-fp16)?)?|ben2|modnet)$/, 8],
    ['super-resolution', /^(realesrgan-x[24]plus|realesr-.*(x4v3|v3-x[24])|swinir.*|span-.*)$/, 9],
    ['image-restoration', /^(scunet|nafnet)-/, 3],
    ['inpainting', /^(lama|lama-opencv|migan)$/, 3],
    ['speech', /^(kokoro|piper-(en|zh|ko|es|fr|de|pt|ru|ar)-.*)$/, 10],
  ])('lists the models for %s that people ask for', (task, names, count) => {
    const found = lock.models.filter((entry) => entry.task === task && names.test(entry.id));
    expect(found).toHaveLength(count);
  });
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

  test('takes further files with their parts, mirrors and an MD5, and refuses a part twice or none', () => {
    const [main] = upscale.files;
    const voices = {
      ...main,
      name: 'voices.bin',
      part: 'voices',
      md5: '0'.repeat(32),
      mirrors: ['https://a.example/v'],
    };
    const files = [main, voices];
    expect(() => parse({ models: [{ ...upscale, files }] })).not.toThrow();
    const without = { ...voices, part: undefined };
    expect(() => parse({ models: [{ ...upscale, files: [main, without] }] })).toThrow('Expected a `part` for every');
    const again = { ...voices, name: 'more.bin' };
    expect(() => parse({ models: [{ ...upscale, files: [main, voices, again] }] })).toThrow('a part only once');
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
