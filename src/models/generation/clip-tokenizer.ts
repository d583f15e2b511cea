import { z } from 'zod';

const vocabulary = z.record(z.string(), z.int().nonnegative());

/** What stands before a text, and after it. */
const [startToken, endToken] = ['<|startoftext|>', '<|endoftext|>'];

/** What ends a word. */
const wordEnd = '</w>';

// Of CLIP's simple_tokenizer.py: contractions, words, single digits, runs of other signs.
const pieces = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/giu;

// Longer than any text that fits: pairing up the letters of one endless word takes time that grows with its square.
const mostCharacters = 4000;

/** Ids of a text: start, its tokens as far as they fit, end, and the padding up to `length`. */
export type Tokenizer = (text: string) => number[];

/**
 * CLIP's byte-pair encoding (Radford et al. 2021) from the text of its vocab.json and merges.txt. Throws an Error that
 * says in words what is wrong with them.
 */
export function clipTokenizer(
  files: { vocabulary: string; merges: string },
  { length, padding }: { length: number; padding: string },
): Tokenizer {
  const ids = new Map(Object.entries(vocabulary.parse(JSON.parse(files.vocabulary))));
  const idOf = (token: string): number => {
    const id = ids.get(token);
    if (id === undefined) throw new Error(`the vocabulary has no "${token}"`);
    return id;
  };
  const [start, end, pad] = [idOf(startToken), idOf(endToken), idOf(padding)];
  const ranks = readRanks(files.merges);
  return (text) => {
    const clean = text.slice(0, mostCharacters).normalize('NFC').toLowerCase();
    const tokens: number[] = [];
    for (const [piece] of clean.matchAll(pieces)) {
      if (tokens.length > length) break;
      tokens.push(...mergeWord(piece, ranks).map(idOf));
    }
    const kept = [start, ...tokens.slice(0, length - 2), end];
    return [...kept, ...new Array<number>(length - kept.length).fill(pad)];
  };
}

/** How early each pair of parts is joined; the file begins with a line that names its version. */
function readRanks(merges: string): Map<string, number> {
  const lines = merges
    .split('\n')
    .filter((line, index) => line.trim() !== '' && !(index === 0 && line.startsWith('#')));
  return new Map(lines.map((line, index): [string, number] => [line.trim(), index]));
}

/** A word as the parts that the pairs, joined in their order, leave of its bytes. */
function mergeWord(word: string, ranks: Map<string, number>): string[] {
  let parts = [...Buffer.from(word)].map((byte) => byteSigns[byte] as string);
  parts.push(`${parts.pop()}${wordEnd}`);
  while (parts.length > 1) {
    const best = bestPair(parts, ranks);
    if (best === null) break;
    parts = joinAll(parts, best);
  }
  return parts;
}

function bestPair(parts: readonly string[], ranks: Map<string, number>): [string, string] | null {
  let [best, rank]: [[string, string] | null, number] = [null, Number.POSITIVE_INFINITY];
  for (let at = 1; at < parts.length; at++) {
    const pair: [string, string] = [parts[at - 1] as string, parts[at] as string];
    const found = ranks.get(`${pair[0]} ${pair[1]}`) ?? Number.POSITIVE_INFINITY;
    if (found < rank) [best, rank] = [pair, found];
  }
  return best;
}

function joinAll(parts: readonly string[], [first, second]: [string, string]): string[] {
  const joined: string[] = [];
  for (let at = 0; at < parts.length; at++) {
    const isPair = parts[at] === first && parts[at + 1] === second;
    joined.push(isPair ? first + second : (parts[at] as string));
    if (isPair) at++;
  }
  return joined;
}

/** The sign that stands for each byte: itself where it can be seen, the next one from U+0100 on where not (as in GPT-2). */
const byteSigns: readonly string[] = (() => {
  const isSeen = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isSeen(byte) ? byte : next++));
})();
