import type { Pixels } from '../../engine/media/media.js';
import { addDoubled, blurColours, depthsOf, halveLayer, type Layer, lumaOf, toLayer } from './layer.js';
import {
  createRandom,
  growMatches,
  improveMatches,
  type Looks,
  type Matches,
  reach,
  type Search,
  shapeDifference,
} from './patch-match.js';
import { doubleMatches, findPlaces, guessMatches } from './patch-places.js';

// Standard deviation of the blur that tells shapes from detail, in pixels of every size.
const grain = 3.4;

// How fast a patch counts less away from its centre, as a standard deviation: wider ones average the texture away.
const fall = 1;

// Shares of the texture that is found at full size and at smaller ones. All of it looks best and is furthest from the
// truth, since texture that is made up is wrong twice; measured on Kodak, these cost 0.3 dB.
const fineShare = 0.8;
const coarseShare = 0.3;

// A hole this deep at some size is worth looking at half that size too, but at most so often.
const deep = 12;
const mostHalvings = 2;

// Levels by which the colours of shapes may differ, at which a match is trusted by half.
const tolerance = 18;

// Of searching and laying: what was laid makes the next search choose what fits to it.
const rounds = 2;

/** What was found at one size: the colours with their texture, and where that came from. */
interface Textured {
  colours: Float32Array;
  search: Search;
  matches: Matches;
}

interface Means {
  /** How often the layer is made smaller still. */
  halvings: number;
  random: () => number;
}

/**
 * Goes on with the texture around a hole that was filled smoothly (3 channels; `mask` is not 0 where it was filled). At
 * every size, from small to large, what is finer than shapes becomes that of known places whose shapes look alike, found
 * patch by patch (image analogies, Hertzmann et al. 2001, with the search of PatchMatch). Deterministic.
 */
export function continueTexture(filled: Pixels, mask: Pixels): Pixels {
  const layer = toLayer(filled, mask);
  const depth = depthsOf(layer).reduce((most, each) => Math.max(most, each), 0);
  const halvings = Math.min(mostHalvings, Math.max(0, Math.floor(Math.log2(depth / deep))));
  const colours = texture(layer, { halvings, random: createRandom(1) })?.colours ?? layer.colours;
  const data = filled.data.map((known, at) => {
    if (layer.hole[Math.floor(at / 3)] === 0) return known;
    return Math.min(255, Math.max(0, Math.round(colours[at] as number)));
  });
  return { ...filled, data };
}

/** Null where there is nothing to take texture from, or too little room for patches. */
function texture(layer: Layer, { halvings, random }: Means): Textured | null {
  const search = findPlaces(layer);
  if (search.targets.length === 0 || search.sources.length === 0) return null;
  const half = halvings > 0 ? halveLayer(layer) : null;
  const below = half && texture(half, { halvings: halvings - 1, random });
  if (!half || !below) {
    return layTexture(layer, { search, matches: guessMatches(search, layer, random), random, isFirst: true });
  }
  const added = below.colours.map((value, at) => coarseShare * (value - (half.colours[at] as number)));
  const matches = doubleMatches(search, layer, { half, below, random });
  const colours = addDoubled(layer, added, half);
  return layTexture({ ...layer, colours }, { search, matches, random, isFirst: false });
}

interface Start {
  search: Search;
  /** Improved in place. */
  matches: Matches;
  random: () => number;
  /** Whether the matches are mere guesses. */
  isFirst: boolean;
}

function layTexture(layer: Layer, { search, matches, random, isFirst }: Start): Textured {
  const { width, height, hole, colours } = layer;
  const shape = blurColours(colours, layer, grain);
  const detail = colours.map((value, at) => value - (shape[at] as number));
  const looks = { shape, width, height };
  if (isFirst) {
    growMatches({ ...looks, detail: lumaOf(detail) }, search, { matches, random, depths: depthsOf(layer) });
  }
  let laid = lay(detail, layer, { search, matches, trust: trustIn(looks, { search, matches }) });
  for (let round = 0; round < rounds; round++) {
    improveMatches({ ...looks, detail: lumaOf(laid) }, search, { matches, random, sweeps: 2, radius: 8 });
    laid = lay(detail, layer, { search, matches, trust: trustIn(looks, { search, matches }) });
  }
  const textured = colours.map((value, at) => {
    if (hole[Math.floor(at / 3)] === 0) return value;
    return value + fineShare * ((laid[at] as number) - (detail[at] as number));
  });
  return { colours: textured, search, matches };
}

/** The detail with that of the matched patches in the hole: where they overlap, their average, the nearest counting most. */
function lay(
  detail: Float32Array,
  { hole, width }: Layer,
  { search, matches, trust }: Pick<Start, 'search' | 'matches'> & { trust: Float32Array },
): Float32Array {
  const sums = new Float32Array(detail.length);
  const weights = new Float32Array(hole.length);
  for (const { step, weight } of taps(width)) {
    for (let index = 0; index < matches.length; index++) {
      const to = (search.targets[index] as number) + step;
      if (hole[to] === 0) continue;
      const from = 3 * ((matches[index] as number) + step);
      weights[to] = (weights[to] as number) + weight;
      const share = weight * (trust[index] as number);
      for (let channel = 0; channel < 3; channel++)
        sums[3 * to + channel] = (sums[3 * to + channel] as number) + share * (detail[from + channel] as number);
    }
  }
  return detail.map((own, at) => {
    const weight = weights[Math.floor(at / 3)] as number;
    return weight > 0 ? (sums[at] as number) / weight : own;
  });
}

/** How far each match is trusted, 0..1: not at all where shapes differ, since their detail would make a picture of rubble. */
function trustIn(
  looks: Pick<Looks, 'shape' | 'width' | 'height'>,
  { search, matches }: Pick<Start, 'search' | 'matches'>,
): Float32Array {
  return Float32Array.from(matches, (match, index) => {
    return 1 / (1 + shapeDifference(looks, search.targets[index] as number, match) / tolerance ** 2);
  });
}

/** The pixels of a patch as steps from its centre, and how much each counts. */
function taps(width: number): { step: number; weight: number }[] {
  const side = 2 * reach + 1;
  return Array.from({ length: side * side }, (_, at) => {
    const [x, y] = [(at % side) - reach, Math.floor(at / side) - reach];
    return { step: y * width + x, weight: Math.exp(-(x * x + y * y) / (2 * fall ** 2)) };
  });
}
