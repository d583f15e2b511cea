import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readNetwork } from '#src/models/files/onnx-file.js';
import { type NetworkSpec, onnx } from '../../helpers/onnx.js';
import { sharedFiles } from '../../helpers/shared.js';
import { tinyCutout, tinySaliency, tinyUpscaler } from '../../helpers/tiny-models.js';

const network: NetworkSpec = {
  inputs: [{ name: 'a', type: 'float32', shape: [1] }],
  outputs: [{ name: 'b', type: 'float32', shape: [1] }],
  nodes: [{ op: 'Mul', inputs: ['a', 'w'], outputs: ['b'] }],
  initializers: [{ name: 'w', dims: [1], data: Float32Array.of(2) }],
};

const check = (bytes: Uint8Array) => readNetwork(bytes, 'mine');

describe('readNetwork', () => {
  test('lets whole networks pass', () => {
    for (const { bytes } of [tinyCutout(), tinySaliency(), tinyUpscaler(2)]) check(bytes);
    check(onnx({ ...network, domains: ['com.microsoft'] }));
  });

  test('tells what a network takes and gives', () => {
    expect(check(tinyUpscaler(2).bytes)).toEqual({
      inputs: [{ name: 'image', type: 'uint8', shape: ['N', 'H', 'W', 3] }],
      outputs: [{ name: 'upscaled', type: 'uint8', shape: ['N', '2H', '2W', 3] }],
    });
  });

  test('takes no weight for an input, as old files list them', () => {
    const inputs = [...network.inputs, { name: 'w', type: 'float32' as const, shape: [1] }];
    expect(check(onnx({ ...network, inputs })).inputs.map(({ name }) => name)).toEqual(['a']);
  });

  test('refuses weights in another file', () => {
    const initializers = [{ name: 'w', dims: [1], data: Float32Array.of(2), external: '../../etc/passwd' }];
    expect(() => check(onnx({ ...network, initializers }))).toThrow(
      expect.objectContaining({
        code: 'model_unavailable',
        message: expect.stringMatching(/^Model "mine" is refused: .*external data/),
      }),
    );
  });

  test('refuses operators of a foreign library', () => {
    expect(() => check(onnx({ ...network, domains: ['evil.ops'] }))).toThrow(
      'it needs the foreign operators "evil.ops"',
    );
  });

  test('refuses a foreign operator that hides behind the known sets', () => {
    const nodes = [{ op: 'Steal', domain: 'evil.ops', inputs: ['a'], outputs: ['b'] }];
    expect(() => check(onnx({ ...network, nodes }))).toThrow('it needs the foreign operators "evil.ops"');
  });

  test.each([
    { dims: [1_000_000, 1_000_000], claimed: '1000000000000' },
    { dims: [2], claimed: '2' },
    { dims: [2 ** 52, 2 ** 52], claimed: String(2 ** 104) },
  ])('refuses a weight of $dims that brings one number', ({ dims, claimed }) => {
    const initializers = [{ name: 'w', dims, data: Float32Array.of(2) }];
    expect(() => check(onnx({ ...network, initializers }))).toThrow(
      `its weight "w" claims ${claimed} elements and brings 1`,
    );
  });

  test('refuses numbers that never end', () => {
    expect(() => check(Uint8Array.of(8, ...new Array<number>(40).fill(255), 1))).toThrow('no complete ONNX network');
  });

  test('refuses what is no network, and a network that is cut off anywhere', () => {
    const { bytes } = tinyCutout();
    for (const wrong of [new Uint8Array(0), Buffer.from('<html>not found</html>'), new Uint8Array(64).fill(255)]) {
      expect(() => check(wrong)).toThrow('is refused');
    }
    for (let length = 1; length < bytes.length - 25; length += 7) {
      expect(() => check(bytes.subarray(0, length))).toThrow('no complete ONNX network');
    }
  });

  const files = sharedFiles('weights/super-resolution', '.onnx');
  test.skipIf(files.length === 0)('lets real networks pass (needs ../shared/weights)', () => {
    for (const file of files) check(readFileSync(file));
  });
});
