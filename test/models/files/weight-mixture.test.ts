import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { initializersOf } from '#src/models/files/onnx-file.js';
import { createSession } from '#src/models/session.js';
import { mixWeights } from '#src/models/files/weight-mixture.js';
import { sharedFiles } from '../../helpers/shared.js';
import { random, tinyUpscaler } from '../../helpers/tiny-models.js';

const names = ['one', 'other'];

function floats(bytes: Uint8Array): number[] {
  return initializersOf(bytes).flatMap((tensor) => {
    if (tensor.type !== 'float32') return [];
    return [...new Float32Array(Uint8Array.from(tensor.bytes).buffer)];
  });
}

/** What a network makes of the same noise. */
async function answer(bytes: Uint8Array): Promise<Float32Array> {
  const session = await createSession(bytes, { device: 'cpu', threads: 1 });
  const next = random(4);
  const data = Float32Array.from({ length: 3 * 24 * 24 }, () => (next() + 1) / 2);
  const [name = ''] = session.inputNames;
  const [result = ''] = session.outputNames;
  const found = await session.run({ [name]: { type: 'float32', data, dims: [1, 3, 24, 24] } });
  await session.release();
  return found[result]?.data as Float32Array;
}

describe('mixWeights', () => {
  const one = tinyUpscaler(2, 'srvgg', 1).bytes;
  const other = tinyUpscaler(2, 'srvgg', 9).bytes;

  test('gives the first network for nothing of the second, and the second for all of it', () => {
    expect(mixWeights(one, other, { share: 0, names })).toEqual(one);
    expect(floats(mixWeights(one, other, { share: 1, names }))).toEqual(floats(other));
  });

  test('lies between the two, weight by weight', () => {
    const mixed = floats(mixWeights(one, other, { share: 0.25, names }));
    const [from, to] = [floats(one), floats(other)];
    expect(mixed.length).toBeGreaterThan(100);
    for (const [at, value] of mixed.entries()) {
      expect(value).toBeCloseTo((from[at] as number) * 0.75 + (to[at] as number) * 0.25, 6);
    }
  });

  test('leaves the networks that it was given alone', () => {
    const before = Uint8Array.from(one);
    mixWeights(one, other, { share: 0.5, names });
    expect(one).toEqual(before);
  });

  test('refuses networks that are built differently', () => {
    const wider = tinyUpscaler(4, 'srvgg').bytes;
    expect(() => mixWeights(one, wider, { share: 0.5, names })).toThrow(
      'The weights of "one" and "other" can\'t be mixed: their networks are built differently',
    );
  });

  const real = sharedFiles('weights/super-resolution', 'v3.onnx').filter((path) => path.includes('General'));
  test.skipIf(real.length !== 2)('mixes the two of Real-ESRGAN general (skipped without their weights)', async () => {
    const [plain = one, twin = other] = real.map((path) => new Uint8Array(readFileSync(path)));
    const [first, second] = [await answer(plain), await answer(twin)];
    const half = await answer(mixWeights(plain, twin, { share: 0.5, names }));
    const distance = (a: Float32Array, b: Float32Array) =>
      Math.sqrt(a.reduce((sum, value, at) => sum + (value - (b[at] as number)) ** 2, 0) / a.length);
    const apart = distance(first, second);
    expect(apart).toBeGreaterThan(0);
    expect(distance(half, first)).toBeLessThan(apart);
    expect(distance(half, second)).toBeLessThan(apart);
  });
});
