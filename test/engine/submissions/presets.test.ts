import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findOperation } from '#src/engine/operations/index.js';
import type { Operation } from '#src/engine/operations/operation.js';
import { findPreset, listPresets, readPresetFile, withPreset } from '#src/engine/submissions/presets.js';
import { temporaryFolder } from '../media/pictures.js';

const cutout = findOperation('background-removal') as Operation;
const shop = { operation: 'background-removal', params: { aspect: 'square', bg_color: '#fff' } };

function folderWith(files: Record<string, unknown>): string {
  const folder = join(temporaryFolder(), 'presets');
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

describe('presets', () => {
  test('come with the program, and their params are right', () => {
    for (const { name } of listPresets('/nowhere')) {
      const folder = folderWith({ [`${name}.json`]: stripped(findPreset(name, '/nowhere')) });
      expect(readPresetFile(join(folder, `${name}.json`)).name).toBe(name);
    }
  });

  test('are found in the folder, which goes before the program', () => {
    const folder = folderWith({ 'shop.json': shop, 'studio.json': shop, 'notes.txt': 'x', 'broken.json': '{' });
    expect(findPreset('shop', folder)).toEqual({ name: 'shop', ...shop });
    expect(findPreset('studio', folder).params).toEqual(shop.params);
    expect(listPresets(folder).map(({ name }) => name)).toEqual(['shop', 'studio', 'marketplace', 'transparent']);
  });

  test('may be several steps', () => {
    const steps = [{ operation: 'background-removal' }, { operation: 'super-resolution', scale: 2 }];
    const folder = folderWith({ 'both.json': { steps } });
    expect(findPreset('both', folder)).toEqual({ name: 'both', operation: 'pipeline', params: { steps } });
  });

  test('lie under what is given with the request', () => {
    const folder = folderWith({ 'shop.json': shop });
    expect(withPreset(cutout, { preset: 'shop', bg_color: 'red' }, folder)).toEqual({
      aspect: 'square',
      bg_color: 'red',
    });
    expect(withPreset(cutout, { bg_color: 'red' }, folder)).toEqual({ bg_color: 'red' });
  });

  test.each([
    ['none', /^Expected `preset` to be one of .*marketplace.*, got "none"$/],
    ['../secret', /got "\.\.\/secret"$/],
    ['other', /^Preset "other" is for super-resolution, not for background-removal$/],
    ['broken', /broken\.json cannot be read as JSON/],
    ['strange', /strange\.json: expected \{"operation": …, "params": \{…\}\} or \{"steps": \[…\]\}/],
    ['typo', /typo\.json: Unknown field "colour" was ignored/],
    ['wrong', /wrong\.json: Expected `scale` to be/],
  ])('are refused when they are not what they should be: %s', (preset, message) => {
    const folder = folderWith({
      'other.json': { operation: 'super-resolution' },
      'broken.json': '{',
      'strange.json': { operations: [] },
      'typo.json': { operation: 'background-removal', params: { colour: 'red' } },
      'wrong.json': { operation: 'super-resolution', params: { scale: 99 } },
    });
    expect(() => withPreset(cutout, { preset }, folder)).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        details: { param: 'preset' },
        message: expect.stringMatching(message),
      }),
    );
  });
});

function stripped({ operation, params }: ReturnType<typeof findPreset>) {
  return { operation, params };
}
