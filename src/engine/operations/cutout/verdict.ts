import type { AlphaSurvey } from '../../../models/matting/alpha-survey.js';
import type { ColourLayers } from '../../../models/matting/colour-layers.js';
import { findRegions } from '../../../models/matting/regions.js';
import type { Pixels, Plane } from '../../media/media.js';
import type { Verdict } from '../../folders/verdict.js';

/** Smaller openings, and parts that lie apart, are noise: share of the subject. */
const worthCounting = 0.001;

/** A side of which more than this share is kept cuts the subject off. */
const cutOff = 0.01;

/**
 * Less certainty is worth a look: of 70 composites that no training saw, the seven that the bundled model got badly wrong
 * (IoU below 0.6) had 0.28 to 0.58, and the 35 that it got right (0.95 and more) 0.80 to 0.99.
 */
const doubtfulBelow = 0.8;

/** The verdict on an alpha channel: what was seen of it, how sure its finder was and what is left of the background's colour. */
export function judge(survey: AlphaSurvey, { certainty, halo }: { certainty: number; halo: number }): Verdict {
  const { holes, parts } = countRegions(survey.plane);
  const sides = ['top', 'right', 'bottom', 'left'].filter((_, index) => (survey.sides[index] as number) > cutOff);
  const softness = survey.outline === 0 ? 0 : survey.soft / survey.outline;
  const warnings = [
    ...(survey.box === null ? ['Nothing was found to keep'] : []),
    ...(survey.coverage > 0.97 ? ['Hardly anything was removed'] : []),
    ...(survey.box !== null && survey.coverage < 0.01 ? ['What was kept is tiny'] : []),
    ...(sides.length > 0 && survey.coverage <= 0.97 ? [`The subject touches the ${list(sides)} of the picture`] : []),
    ...(parts > 3 ? [`What was kept lies in ${parts} parts`] : []),
    ...(certainty < doubtfulBelow && survey.box !== null ? ['Much is neither clearly kept nor clearly removed'] : []),
    ...(halo > 0.25 ? ['The background’s colour shows along the edges'] : []),
  ];
  return {
    coverage: rounded(survey.coverage, 4),
    touches_edge: sides.length > 0,
    holes,
    edge_softness: rounded(softness, 2),
    halo: rounded(halo, 3),
    confidence: rounded(confidenceOf(survey, { certainty, parts, sides: sides.length }), 3),
    warnings,
  };
}

/** Certainty, less for each thing that seldom goes with a good cut-out. */
function confidenceOf(
  { coverage, box }: AlphaSurvey,
  { certainty, parts, sides }: { certainty: number; parts: number; sides: number },
): number {
  if (box === null) return 0;
  const size = coverage < 0.01 || coverage > 0.97 ? 0.3 : 1;
  return certainty * size * 0.95 ** Math.max(0, parts - 2) * 0.95 ** sides;
}

/** Openings and parts of the subject that are large enough to be meant. */
function countRegions({ data, width, height }: Plane): { holes: number; parts: number } {
  const kept = findRegions({ width, height }, (at) => (data[at] as number) > 0.5);
  const gone = findRegions({ width, height }, (at) => (data[at] as number) <= 0.5);
  const least = worthCounting * kept.areas.reduce((sum, area) => sum + area, 0);
  const isWorthIt = (area: number) => area > 0 && area >= least;
  return {
    holes: gone.areas.filter((area, label) => isWorthIt(area) && !gone.atBorder[label]).length,
    parts: kept.areas.filter(isWorthIt).length,
  };
}

interface Cleaning {
  colours: ColourLayers;
  clean(rows: Pixels, top: number): void;
}

/** Colours that differ less than this (of 441) can't tell whether one shows in the other. */
const distinct = 40;

/**
 * How much of the background's colour is left along the edges of a cut-out (0..1, its mean over soft pixels and their
 * neighbours): where each colour lies on the line from what is kept nearby to what is removed nearby.
 */
export function haloOf(guide: Pixels, alpha: Uint8Array, { colours, clean }: Cleaning): number {
  const { width, height } = guide;
  const rows: Pixels = { data: new Uint8Array(4 * width * height), width, height, channels: 4 };
  for (let at = 0; at < alpha.length; at++) {
    rows.data.set(guide.data.subarray(3 * at, 3 * at + 3), 4 * at);
    rows.data[4 * at + 3] = alpha[at] as number;
  }
  clean(rows, 0);
  let [sum, weight] = [0, 0];
  for (let at = 0; at < alpha.length; at++) {
    if (!isAtEdge(alpha, at, width)) continue;
    const share = backgroundShare(rows.data, colours.data, at);
    if (share === null) continue;
    sum += share * (alpha[at] as number);
    weight += alpha[at] as number;
  }
  return weight === 0 ? 0 : sum / weight;
}

/** Visible, with something hardly visible beside it. */
function isAtEdge(alpha: Uint8Array, at: number, width: number): boolean {
  if ((alpha[at] as number) < 13) return false;
  return [at - 1, at + 1, at - width, at + width].some((next) => (alpha[next] ?? 255) < 128);
}

function backgroundShare(data: Uint8Array, colours: Uint8Array, at: number): number | null {
  let [along, length] = [0, 0];
  for (let channel = 0; channel < 3; channel++) {
    const kept = colours[6 * at + channel] as number;
    const way = (colours[6 * at + 3 + channel] as number) - kept;
    along += ((data[4 * at + channel] as number) - kept) * way;
    length += way * way;
  }
  return length < distinct ** 2 ? null : Math.min(1, Math.max(0, along / length));
}

function list(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
