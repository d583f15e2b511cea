import { expect, test } from 'vitest';
import { pictureTensors, samples } from '#src/models/signature.js';
import { tinyCutout, tinySaliency } from '../helpers/tiny-models.js';

const { entry } = tinyCutout();
const tensor = (data: Float32Array) => ({ type: 'float32', data, dims: [1, data.length] }) as const;

test('pictureTensors names the first input and the first output', () => {
  expect(pictureTensors(tinySaliency().entry)).toEqual({ input: 'input.1', output: '1959' });
});

test('samples gives the data of a result of the right type and length', () => {
  const data = Float32Array.of(0, 0.5);
  expect(samples(entry, tensor(data), { type: Float32Array, length: 2 })).toBe(data);
});

test.each([
  ['nothing', undefined],
  ['float32 [1, 3]', tensor(Float32Array.of(0, 0, 0))],
  ['uint8 [2]', { type: 'uint8', data: Uint8Array.of(1, 2), dims: [2] } as const],
])('samples refuses %s where two floats are expected', (found, result) => {
  expect(() => samples(entry, result, { type: Float32Array, length: 2 })).toThrow(
    expect.objectContaining({
      code: 'internal',
      message: `Model "tiny-cutout" gave ${found} where 2 samples were expected`,
    }),
  );
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])('samples refuses %d', (value) => {
  const read = () => samples(entry, tensor(Float32Array.of(0, value)), { type: Float32Array, length: 2 });
  expect(read).toThrow('gave samples that are no numbers');
});
