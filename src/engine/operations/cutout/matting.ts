import { alphaOfRows } from '../../../models/matting/alpha-rows.js';
import { resizePlane } from '../../../models/pixels/bilinear.js';
import { closedFormAlpha } from '../../../models/matting/closed-form.js';
import { fitAlpha } from '../../../models/matting/guided-filter.js';
import { shrunkTo } from '../../../models/pixels/shrink.js';
import { isUnknown, type Trimap, trimapOfAlpha, trimapOfGrey } from '../../../models/matting/trimap.js';
import { EngineError } from '../../errors.js';
import type { ImageFacts, Pixels, Plane, Size } from '../../media/media.js';
import { checkOverlay } from '../overlay.js';
import type { ColourProfile, PixelReader, Workbench } from '../workbench.js';
import type { CutoutParams } from './params.js';

/** Alpha 0..255 of the picture, for rows of it and for the whole of it at a smaller size. */
export interface AlphaSource {
  at(picture: Pixels): Promise<Uint8Array>;
  ofRows(rows: Pixels, top: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface Request {
  options: CutoutParams;
  facts: ImageFacts;
  profile: ColourProfile | undefined;
}

interface Refined {
  alpha: AlphaSource;
  matte: Plane;
  foundBy: string;
  warnings: string[];
  facts: Record<string, unknown>;
}

/** Matting knows 0 and 1 better than a network does. */
const levels = { low: 0.02, high: 0.98 };

/**
 * Alpha by closed-form matting, at most at the size that is asked for, and from there by the colours: within the band that
 * the trimap leaves open, which is the picture in `trimap` or made of what was found before.
 */
export async function refineByMatting(bench: Workbench, found: Refined | null, request: Request): Promise<Refined> {
  const { options, facts, profile } = request;
  const size = shrunkTo(facts, options.alpha_matting_max_size);
  const path = bench.input('image');
  const picture = await bench.images.decode(path, { size, channels: 3, ...(profile && { profile }) });
  const given = bench.inputs('trimap')[0];
  const trimap =
    given === undefined ? await makeTrimap(found, picture, request) : await readTrimap(bench, given, { facts, size });
  const problem = problemOf(trimap);
  if (problem !== null && found) return { ...found, warnings: [...found.warnings, `Matting was left out: ${problem}`] };
  if (problem !== null)
    throw new EngineError('invalid_input', `Expected \`trimap\` to say what is kept and removed: ${problem}`, {
      param: 'trimap',
    });
  bench.checkpoint('infer');
  const matte = closedFormAlpha(picture, trimap, { onStep: (fraction) => bench.checkpoint('infer', fraction) });
  const fit = fitAlpha(matte, picture, { reach: 1, epsilon: 255 ** 2 * 1e-5 });
  const known = given === undefined ? null : await openKnown(bench, given);
  const ofRows = alphaOfRows(fit, facts, levels);
  const unknown = trimap.data.reduce((sum, state) => sum + (isUnknown(state) ? 1 : 0), 0);
  return {
    alpha: {
      at: async (target) => Uint8Array.from(resizePlane(matte, target).data, (value) => Math.round(value * 255)),
      ofRows: async (rows, top) => known?.apply(ofRows(rows, top), top) ?? ofRows(rows, top),
      close: async () => known?.close(),
    },
    matte,
    foundBy: found?.foundBy ?? 'trimap',
    warnings: found?.warnings ?? [],
    facts: { ...found?.facts, matting: { width: picture.width, height: picture.height, unknown } },
  };
}

/** As rembg does it: thresholds on the mask, then as many pixels of the picture to each side. */
async function makeTrimap(found: Refined | null, picture: Pixels, { options, facts }: Request): Promise<Trimap> {
  if (found === null) throw new EngineError('internal', 'Expected a mask to make a trimap of');
  const factor = picture.width / facts.width;
  return trimapOfAlpha(await found.alpha.at(picture), picture, {
    foreground: options.alpha_matting_foreground_threshold,
    background: options.alpha_matting_background_threshold,
    erode: Math.max(
      options.alpha_matting_erode_size > 0 ? 3 : 0,
      Math.round(options.alpha_matting_erode_size * factor),
    ),
  });
}

async function readTrimap(
  bench: Workbench,
  path: string,
  { facts, size }: { facts: Size; size: Size },
): Promise<Trimap> {
  checkOverlay(await bench.images.facts(path, 'trimap'), facts, 'trimap');
  return trimapOfGrey(greyOf(await bench.images.decode(path, { size, channels: 3 })), size);
}

function problemOf({ data }: Trimap): string | null {
  if (!data.includes(255)) return 'nothing is surely kept';
  return data.includes(0) ? null : 'nothing is surely removed';
}

/** The trimap at its own size, where it says what is known: alpha is that, whatever the colours say. */
async function openKnown(bench: Workbench, path: string) {
  const reader: PixelReader = await bench.images.open(path);
  return {
    async apply(alpha: Uint8Array, top: number): Promise<Uint8Array> {
      const rows = await reader.readRows(top, alpha.length / reader.width);
      const { data } = trimapOfGrey(greyOf(rows), rows);
      for (let at = 0; at < alpha.length; at++) if (!isUnknown(data[at])) alpha[at] = data[at] as number;
      return alpha;
    },
    close: () => reader.close(),
  };
}

/** Grey pictures have the same number three times. */
function greyOf({ data, width, height, channels }: Pixels): Uint8Array {
  const grey = new Uint8Array(width * height);
  for (let at = 0, from = 1; at < grey.length; at++, from += channels) grey[at] = data[from] as number;
  return grey;
}
