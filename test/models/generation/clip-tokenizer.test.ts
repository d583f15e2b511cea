import { describe, expect, test } from 'vitest';
import { clipTokenizer } from '#src/models/generation/clip-tokenizer.js';
import { tinyVocabulary } from '../../helpers/tiny-turbo.js';

const files = tinyVocabulary();
const tokenize = clipTokenizer(files, { length: 12, padding: '!' });
/** After the bytes alone and at the end of a word come: ca, cat, start, end. */
const [ca, cat, start, end] = [512, 513, 514, 515];

describe('clipTokenizer', () => {
  test('numbers single letters as CLIP does, between start and end', () => {
    // Of its published vocabulary: "a" ends a word as 320, "," as 267, and 0 is "!".
    expect(tokenize('a, !').slice(0, 6)).toEqual([start, 320, 267, 256, end, 0]);
  });

  test('joins pairs in the order of the merges, at the end of words only where they say so', () => {
    expect(tokenize('Cat CATS').slice(0, 6)).toEqual([start, cat, ca, 'T'.charCodeAt(0) - 33 + 32, 338, end]);
  });

  test('takes words apart at contractions, digits and signs, and leaves out spaces of every kind', () => {
    const [i, ve, one, two] = ['i', 've', '1', '2'].map((word) =>
      clipTokenizer(files, { length: 4, padding: '!' })(word),
    );
    expect(tokenize("i've\n 12\t")).toEqual(
      [start, i?.[1], 6, ...(ve?.slice(1, 3) ?? []), one?.[1], two?.[1], end, 0, 0, 0, 0].slice(0, 12),
    );
  });

  test('writes other letters as the bytes of UTF-8, composed and in lower case', () => {
    expect(tokenize('É').slice(0, 4)).toEqual(tokenize('e\u0301').slice(0, 4));
    expect(tokenize('é')).not.toEqual(tokenize('e'));
    expect(tokenize('鞋👟').filter((id) => id !== 0)).toHaveLength(9);
  });

  test('cuts off what does not fit, and ends all the same', () => {
    const ids = tokenize('a '.repeat(100));
    expect(ids).toEqual([start, ...new Array(10).fill(320), end]);
    expect(tokenize('')).toEqual([start, end, ...new Array(10).fill(0)]);
  });

  test('is done soon with one endless word', () => {
    expect(tokenize('x'.repeat(1_000_000))).toHaveLength(12);
  });

  test.each([
    ['no JSON', { ...files, vocabulary: '{' }, /JSON/],
    ['no numbers', { ...files, vocabulary: '{"a":"b"}' }, /number/],
    ['no end of texts', { ...files, vocabulary: '{"<|startoftext|>":1}' }, /no "<\|endoftext\|>"/],
  ])('refuses a vocabulary with %s', (_, broken, message) => {
    expect(() => clipTokenizer(broken, { length: 12, padding: '!' })).toThrow(message);
  });
});
