import { createHash } from 'node:crypto';
import { mkdir, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '#src/engine/config.js';
import { loadModel } from '#src/engine/host/model-loader.js';
import { openShelf } from '#src/engine/shelf.js';
import type { ModelEntry } from '#src/models/lockfile.js';
import { type NetworkSpec, onnx } from '../helpers/onnx.js';
import { tempFolder } from '../helpers/temp-folder.js';
import { tinyUpscaler } from '../helpers/tiny-models.js';
import { until } from '../helpers/until.js';

const { entry: sound, bytes: soundBytes } = tinyUpscaler(2);
const id = sound.id;
const name = `${id}.onnx`;

/** A network with the tensors of the entry, so that only what is hostile in it can be the reason. */
const network: NetworkSpec = {
  inputs: [{ name: 'image', type: 'uint8', shape: ['N', 'H', 'W', 3] }],
  outputs: [{ name: 'upscaled', type: 'uint8', shape: ['N', '2H', '2W', 3] }],
  nodes: [{ op: 'Resize', inputs: ['image', '', 'w'], outputs: ['upscaled'] }],
  initializers: [{ name: 'w', dims: [4], data: Float32Array.of(1, 2, 2, 1) }],
};

/** The entry of these very bytes: whoever puts a file there can write its digest beside it. */
function entryOf(bytes: Uint8Array, change: Partial<ModelEntry> = {}): ModelEntry {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { ...sound, files: [{ name, url: null, bytes: bytes.length, sha256 }], ...change };
}

interface Hostile {
  bytes: Uint8Array;
  entry: ModelEntry;
  /** Done to the folder of the model at last. */
  spoil?(folder: string): Promise<void>;
  /** What must be said. */
  reason: RegExp;
}

const flipped = soundBytes.map((byte, index) => (index === 400 ? byte ^ 1 : byte));
const external = [{ name: 'w', dims: [4], data: Float32Array.of(1, 2, 2, 1), external: '../../../etc/passwd' }];
const absurd = [{ name: 'w', dims: [2 ** 40, 2 ** 10], data: Float32Array.of(1, 2, 2, 1) }];
const ofBytes = (bytes: Uint8Array, change: Partial<ModelEntry> = {}) => ({ bytes, entry: entryOf(bytes, change) });
const wide = [{ name: 'image', type: 'uint8' as const, shape: ['N', 'H', 'W', 4] }];
const other = [{ name: 'picture', type: 'uint8' as const, shape: ['N', 'H', 'W', 3] }];

const cases: Record<string, Hostile> = {
  'a flipped byte': {
    bytes: flipped,
    entry: sound,
    reason: /expected .* with sha256 .*, found .*npx darkroom models add/,
  },
  'a truncated file': {
    bytes: soundBytes.subarray(0, 500),
    entry: sound,
    reason: /expected \d+ bytes .*, found 500; npx/,
  },
  'a network that is cut off': {
    ...ofBytes(soundBytes.subarray(0, 500)),
    reason: /no complete ONNX network; fetch it anew/,
  },
  'external data': {
    ...ofBytes(onnx({ ...network, initializers: external })),
    reason: /external data.*export it as one file/,
  },
  'an operator of a foreign library': {
    ...ofBytes(onnx({ ...network, nodes: [{ op: 'Run', domain: 'evil', inputs: ['image'], outputs: ['upscaled'] }] })),
    reason: /foreign operators "evil".*export it with/,
  },
  'another name of a tensor': {
    ...ofBytes(soundBytes, { inputs: other }),
    reason: /expected an input "picture".*models info/,
  },
  'another shape of a tensor': {
    ...ofBytes(soundBytes, { inputs: wide }),
    reason: /\[N, H, W, 4\], found .*models info/,
  },
  'a weight of an absurd size': {
    ...ofBytes(onnx({ ...network, initializers: absurd })),
    reason: /claims 1125899906842624 elements/,
  },
  'a file of an absurd size': {
    ...ofBytes(soundBytes, { files: [{ name, url: null, bytes: 2 ** 31, sha256: '0'.repeat(64) }] }),
    spoil: (folder) => truncate(join(folder, name), 2 ** 31),
    reason: /more than any ONNX file can have/,
  },
  'a symbolic link': {
    ...ofBytes(soundBytes),
    spoil: async (folder) => {
      await rename(join(folder, name), join(folder, '../../elsewhere.onnx'));
      await symlink('../../elsewhere.onnx', join(folder, name));
    },
    reason: /is a link out of the folder of its model; npx darkroom models/,
  },
  'a path with ..': {
    ...ofBytes(soundBytes, { files: [{ name: '../../x.onnx', url: null, bytes: 1, sha256: '0'.repeat(64) }] }),
    reason: /models\/tiny-upscaler-x2\/model.json: files.0.name: Expected a plain file name/,
  },
};

describe('a model with', () => {
  test.each(Object.entries(cases))(
    '%s is named with what helps, and refused before a session is made',
    async (_, hostile) => {
      const data = await tempFolder();
      const folder = join(data, 'models', id);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, name), hostile.bytes);
      await writeFile(join(folder, 'model.json'), JSON.stringify(hostile.entry));
      await hostile.spoil?.(folder);

      const shelf = await openShelf(readConfig({ DARKROOM_DATA: data }));
      onTestFinished(() => shelf.close());
      const warning = await until(() => shelf.warnings()[0], 'a warning');
      expect(warning).toContain(id);
      expect(warning).toMatch(hostile.reason);
      expect(() => shelf.choose([{ task: 'super-resolution', wanted: id }])).toThrow();
      expect(shelf.choose([{ task: 'super-resolution', wanted: 'auto' }]).main).toBe('upscale-x2');

      // What a session says of a network begins otherwise: `can't be loaded on cpu`.
      const load = loadModel(id, { folder: join(data, 'models'), device: 'cpu', threads: 1 });
      await expect(load).rejects.toMatchObject({
        code: 'model_unavailable',
        message: expect.stringMatching(hostile.reason),
      });
    },
  );
});
