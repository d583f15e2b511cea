import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeDataUri, isDataUri } from '#src/engine/downloads/data-uri.js';

const decode = (uri: string, maxBytes = 1000) => decodeDataUri(uri, { maxBytes, param: 'image_url' });

describe('decodeDataUri', () => {
  it.each([1, 2, 3, 999, 1000])('gives back %i bytes', (length) => {
    const content = randomBytes(length);
    expect(decode(`data:image/png;base64,${content.toString('base64')}`).equals(content)).toBe(true);
  });

  it.each(['data:image/svg+xml;base64,', 'DATA:IMAGE/PNG;BASE64,', 'data:image/png;charset=utf-8;base64,'])(
    'takes a head like %s',
    (head) => {
      expect(decode(`${head}QUJD`).toString()).toBe('ABC');
    },
  );

  it.each([
    ['another type', 'data:text/html;base64,QUJD'],
    ['no type', 'data:;base64,QUJD'],
    ['no base64', 'data:image/png,ABC'],
    ['no comma', 'data:image/png;base64'],
    ['an endless head', `data:image/png;${'a=b;'.repeat(100)}base64,QUJD`],
  ])('refuses %s', (_, uri) => {
    expect(() => decode(uri)).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        message: expect.stringMatching(/^Expected image_url to begin with data:image\/…;base64, got "/),
        details: { param: 'image_url' },
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['white space', 'QU JD'],
    ['a line break', 'QUJD\n'],
    ['the alphabet of URLs', 'QUJ_'],
    ['an escaped character', 'QUJ%2B'],
    ['no padding', 'QUI'],
    ['too much padding', 'QUJD='],
    ['padding in the middle', 'QQ==QUJD'],
    ['only padding', '===='],
    ['a lone character', 'QUJDQ'],
    ['characters that are none of base64', 'QUJ*'],
  ])('refuses data with %s', (_, data) => {
    expect(() => decode(`data:image/png;base64,${data}`)).toThrow(
      expect.objectContaining({ code: 'invalid_input', details: { param: 'image_url' } }),
    );
  });

  it('refuses one byte more than allowed', () => {
    expect(() => decode(`data:image/png;base64,${Buffer.alloc(1001).toString('base64')}`)).toThrow(
      expect.objectContaining({
        code: 'too_large',
        message: 'Expected image_url to be at most 1 KB, got more',
        details: { param: 'image_url' },
      }),
    );
  });
});

it('isDataUri knows a data URI by its scheme', () => {
  expect(['data:image/png;base64,QUJD', 'DATA:x', 'https://example.com/data:', ''].map(isDataUri)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
