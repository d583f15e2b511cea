import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findOperation, modelNeeds, operations, parseParams } from '#src/engine/operations/index.js';
import type { Operation } from '#src/engine/operations/operation.js';
import { tinyUpscaler } from '../../helpers/tiny-models.js';

const upscale = findOperation('super-resolution') as Operation;
const cutout = findOperation('background-removal') as Operation;

describe('operations', () => {
  test('are found by name', () => {
    expect(operations.map(({ name }) => findOperation(name)?.name)).toEqual(operations.map(({ name }) => name));
    expect(findOperation('video')).toBeUndefined();
  });

  test.each(['name', 'type', 'command', 'idPrefix'] as const)('each have their own %s', (field) => {
    expect(new Set(operations.map((operation) => operation[field])).size).toBe(operations.length);
  });

  test.each(operations)('the params of $name are flat, described and have defaults', ({ params }) => {
    const schema = z.toJSONSchema(params, { io: 'output' });
    for (const property of Object.values(schema.properties ?? {})) {
      expect(property).toMatchObject({ description: expect.any(String) });
      // A value may also be one of several kinds, such as a number or a word.
      expect(Object.keys(property)).toSatisfy((keys: string[]) => keys.includes('type') || keys.includes('anyOf'));
      // What is left out by default says in words what happens then.
      const { default: usual, description } = property as z.core.JSONSchema.JSONSchema;
      if (usual === undefined) expect(description).toMatch(/default|instead of/i);
    }
    const isDemanding = Object.values(schema.properties ?? {}).some((property) =>
      /no default$/.test(String((property as { description?: string }).description)),
    );
    if (!isDemanding) expect(() => params.parse({})).not.toThrow();
  });
});

describe('parseParams', () => {
  test('fills in the defaults', () => {
    expect(parseParams(upscale, {})).toEqual({
      params: {
        scale: 2,
        model: 'auto',
        content: 'auto',
        face_enhance: 0,
        face_model: 'auto',
        tta: false,
        format: 'png',
        keep_metadata: false,
      },
      warnings: [],
    });
    expect(parseParams(cutout, {})).toMatchObject({
      params: { only_mask: false, model: 'auto', format: 'png', decontaminate: true, size: 'full', icc: 'srgb' },
      warnings: [],
    });
  });

  test.each([
    [{ scale: 4 }, { scale: 4 }],
    [{ scale: '4' }, { scale: 4 }],
    [{ scale: null }, { scale: 2 }],
    [
      { format: 'webp', model: 'upscale-x4' },
      { format: 'webp', model: 'upscale-x4' },
    ],
  ])('takes %j', (raw, params) => {
    expect(parseParams(upscale, raw).params).toMatchObject(params);
  });

  test.each([
    [true, true],
    ['true', true],
    ['1', true],
    ['FALSE', false],
    ['0', false],
    [false, false],
  ])('takes only_mask %j', (raw, only_mask) => {
    expect(parseParams(cutout, { only_mask: raw }).params).toMatchObject({ only_mask });
  });

  test.each([
    [upscale, { scale: 17 }, 'scale', 'Expected `scale` to be a number from 1 to 16, got 17'],
    [upscale, { scale: 'many' }, 'scale', 'Expected `scale` to be a number from 1 to 16, got "many"'],
    [upscale, { scale: '' }, 'scale', 'Expected `scale` to be a number from 1 to 16, got ""'],
    [upscale, { scale: [2] }, 'scale', 'Expected `scale` to be a number from 1 to 16, got [2]'],
    [upscale, { tile: 100.5 }, 'tile', 'Expected `tile` to be a whole number from 64 to 2048, got 100.5'],
    [upscale, { content: 'x' }, 'content', 'Expected `content` to be auto, photograph, drawing or damaged, got "x"'],
    [upscale, { format: 'gif' }, 'format', 'Expected `format` to be png, webp or jpg, got "gif"'],
    [upscale, { model: 7 }, 'model', 'Expected `model` to be the id of a model, got 7'],
    [cutout, { only_mask: 'yes please' }, 'only_mask', 'Expected `only_mask` to be true or false, got "yes please"'],
    [cutout, { format: 'gif' }, 'format', 'Expected `format` to be png, webp, jpg or zip, got "gif"'],
  ])('refuses what $name cannot take', (operation, raw, param, message) => {
    expect(() => parseParams(operation, raw)).toThrow(
      expect.objectContaining({ code: 'invalid_input', details: { param }, message }),
    );
  });

  test.each([
    ['scael', 'Unknown field "scael" was ignored; did you mean "scale"?'],
    ['Scale', 'Unknown field "Scale" was ignored; did you mean "scale"?'],
    ['fromat', 'Unknown field "fromat" was ignored; did you mean "format"?'],
    ['modle', 'Unknown field "modle" was ignored; did you mean "model"?'],
    ['half_precision', 'Unknown field "half_precision" was ignored'],
    ['', 'Unknown field "" was ignored'],
  ])('warns of the unknown field %j', (name, warning) => {
    expect(parseParams(upscale, { [name]: 4 })).toEqual({ ...parseParams(upscale, {}), warnings: [warning] });
  });

  test('says nothing of the fields that carry the picture', () => {
    expect(parseParams(upscale, { image: 'x', image_url: 'y' }).warnings).toEqual([]);
  });

  test('is not slowed down by an endless name', () => {
    const { warnings } = parseParams(upscale, { ['s'.repeat(1_000_000)]: 1 });
    expect(warnings[0]?.length).toBeLessThan(200);
  });

  test('leaves alone what JSON can smuggle in', () => {
    const raw = JSON.parse('{"__proto__": {"scale": 4}, "constructor": 1, "toString": 1}');
    expect(parseParams(upscale, raw).params).toEqual(parseParams(upscale, {}).params);
  });
});

describe('modelNeeds', () => {
  test('asks for a model of the wanted scale', () => {
    const [request] = modelNeeds(upscale, parseParams(upscale, { scale: 4 }).params);
    expect(request).toMatchObject({ task: 'super-resolution', wanted: 'auto' });
    expect(request?.misfit?.(tinyUpscaler(4).entry)).toBeNull();
    expect(request?.misfit?.(tinyUpscaler(2).entry)).toBe('it enlarges 2 times, and 4 times is needed');
  });

  test('takes any model for a cut-out', () => {
    const requests = modelNeeds(cutout, { model: 'u2netp' });
    expect(requests).toEqual([{ task: 'background-removal', wanted: 'u2netp' }]);
  });
});
