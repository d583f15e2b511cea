import { describe, expect, test } from 'vitest';
import { checkNetwork, withNames } from '#src/models/files/network.js';
import { tinySaliency, tinyUpscaler } from '../../helpers/tiny-models.js';

describe('checkNetwork', () => {
  const { bytes, entry } = tinyUpscaler(2);
  const [output] = entry.outputs;
  const check = (change: object) => () => checkNetwork(bytes, entry, { ...entry, ...change });

  test('lets a network pass that is what its entry says', () => {
    expect(check({})()).toMatchObject({ inputs: [{ name: 'image' }], outputs: [{ name: 'upscaled' }] });
  });

  test('refuses another name, and names the model', () => {
    expect(check({ inputs: [{ name: 'picture', type: 'uint8', shape: [] }] })).toThrow(
      expect.objectContaining({
        code: 'model_unavailable',
        message: `Model "${entry.id}" is refused: expected an input "picture", found "image"; it is another export than its entry is for (npx darkroom models info ${entry.id})`,
      }),
    );
  });

  test('refuses another type, another shape and another number of inputs', () => {
    expect(check({ outputs: [{ ...output, type: 'float32' }] })).toThrow(
      'expected output "upscaled" as float32 [N, 2H, 2W, 3], found uint8 [N, 2H, 2W, 3]',
    );
    expect(check({ outputs: [{ ...output, shape: ['N', 'H', 'W', 4] }] })).toThrow('found uint8 [N, 2H, 2W, 3]');
    expect(check({ outputs: [{ ...output, shape: ['N', 3] }] })).toThrow('found uint8 [N, 2H, 2W, 3]');
    expect(check({ inputs: [] })).toThrow('expected 0 inputs, found 1');
  });

  test('takes a tensor without a name by its position', () => {
    const saliency = tinySaliency();
    const unnamed = { ...saliency.entry, outputs: [{ ...saliency.entry.outputs[0], name: null }] } as typeof entry;
    const declared = checkNetwork(saliency.bytes, unnamed, unnamed);
    expect(withNames(unnamed, declared).outputs[0]?.name).toBe('1959');
    const shape = [1, 1, 32, 32];
    expect(() => checkNetwork(saliency.bytes, unnamed, { outputs: [{ name: null, type: 'float32', shape }] })).toThrow(
      'expected output "number 1" as float32 [1, 1, 32, 32]',
    );
  });
});
