import { describe, expect, test } from 'vitest';
import { backgroundRemoval } from '#src/engine/operations/background-removal.js';
import { parseParams } from '#src/engine/operations/index.js';

const parse = (raw: Record<string, unknown>) => parseParams(backgroundRemoval, raw);

describe('the params of background-removal', () => {
  test('stay the same when they are parsed again, as the queue does', () => {
    const { params } = parse({ crop: '1', crop_margin: 30, scale: '80%', quality: '80', bg_color: 'fff', dpi: 300 });
    expect(params).toMatchObject({
      crop: true,
      crop_margin: '30',
      scale: '80%',
      quality: 80,
      bg_color: 'fff',
      dpi: 300,
    });
    expect(parse({ ...params }).params).toEqual(params);
  });

  test.each([
    ['channels', 'rgb', 'rgba or alpha'],
    ['roi', '90% 0% 10% 100%', 'left, top, right and bottom'],
    ['alpha_matting_foreground_threshold', 256, 'a whole number from 0 to 255'],
    ['alpha_matting_background_threshold', -1, 'a whole number from 0 to 255'],
    ['alpha_matting_erode_size', 1.5, 'a whole number from 0 to 400'],
    ['alpha_matting_max_size', 5000, 'a whole number from 128 to 2048'],
    ['speck_size', 51, 'a number from 0 to 50'],
    ['decontaminate', 'maybe', 'true or false'],
    ['crop_margin', '101%', '(to 100)'],
    ['scale', '5%', 'original or 10% to 100%'],
    ['position', 'left', 'original, center'],
    ['padding', '41%', '(to 40)'],
    ['size', '8x8', 'from 16 to 16384'],
    ['size', 'toString', 'full, auto, preview'],
    ['aspect', '1:11', 'from 1:10 to 10:1'],
    ['bg_color', 'bleu', 'a colour'],
    ['bg_color_to', '#12', 'a colour'],
    ['backdrop', 'beach', 'none, gradient or studio'],
    ['bg_angle', 361, 'a number from 0 to 360'],
    ['shadow', 'hard', 'none, drop, contact or soft'],
    ['shadow_opacity', 101, 'a number from 0 to 100'],
    ['shadow_blur', 21, 'a number from 0 to 20'],
    ['shadow_angle', -1, 'a number from 0 to 360'],
    ['shadow_distance', 51, 'a number from 0 to 50'],
    ['shadow_color', '', 'a colour'],
    ['format', 'tiff', 'png, webp, jpg or zip'],
    ['quality', 0, 'a whole number from 1 to 100'],
    ['dpi', 2401, 'a whole number from 1 to 2400'],
    ['icc', 'p3', 'srgb or keep'],
  ])('name the field, what it takes and what came: %s', (param, value, expected) => {
    const refusal = () => parse({ [param]: value });
    expect(refusal).toThrow(expect.objectContaining({ code: 'invalid_input', details: { param } }));
    expect(refusal).toThrow(`Expected \`${param}\` to be`);
    expect(refusal).toThrow(expected);
    expect(refusal).toThrow(JSON.stringify(value));
  });

  test('refuse what can’t be had together', () => {
    expect(() => parse({ format: 'zip', only_mask: true })).toThrow(/format.*png, webp or jpg.*"zip"/);
    expect(() => parse({ size: '800x800', aspect: '4:5' })).toThrow(/aspect.*original or marketplace.*"4:5"/);
    expect(() => parse({ size: '800x800', aspect: 'marketplace' })).not.toThrow();
  });
});
