import { expect, test } from 'vitest';
import { partsOf } from '#src/models/files/parts.js';
import { tinyCutout } from '../../helpers/tiny-models.js';

const { entry } = tinyCutout();
const voices = { name: 'voices.bin', part: 'voices', url: null, bytes: 2, sha256: null };
const parts = partsOf(entry, [{ file: voices, bytes: Uint8Array.of(1, 2), session: null }]);

test('partsOf gives the bytes of a file by its part', () => {
  expect([...parts.bytes('voices')]).toEqual([1, 2]);
});

test('partsOf says which part an entry lacks, and which is no network', () => {
  expect(() => parts.bytes('vocabulary')).toThrow('needs a file with part "vocabulary"');
  expect(() => parts.session('voices')).toThrow('its part "voices" must be a network (.onnx), and is voices.bin');
});
