import { expect, test } from 'vitest';
import { modelKey, readModelKey } from '#src/engine/host/model-key.js';

test.each([
  ['upscale-x4', { id: 'upscale-x4' }],
  [
    'realesr-general-x4v3~realesr-general-wdn-x4v3~0.35',
    { id: 'realesr-general-x4v3', twin: { id: 'realesr-general-wdn-x4v3', share: 0.35 } },
  ],
  ['upscale-x4@cpu', { id: 'upscale-x4', isOnCpu: true }],
  ['a~b~0.50@cpu', { id: 'a', twin: { id: 'b', share: 0.5 }, isOnCpu: true }],
])('%s is written and read', (text, key) => {
  expect(modelKey(key)).toBe(text);
  expect(readModelKey(text)).toEqual(key);
});

test('a share of nothing is no mixture', () => {
  expect(modelKey({ id: 'a', twin: { id: 'b', share: 0 } })).toBe('a');
});
