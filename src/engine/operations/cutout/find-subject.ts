import { alphaOfRows } from '../../../models/matting/alpha-rows.js';
import { findFlaws, withoutFlaws } from '../../../models/matting/flaws.js';
import { separateLayers } from '../../../models/matting/colour-layers.js';
import { foregroundOfRows } from '../../../models/matting/foreground.js';
import { fitAlpha, guideSize } from '../../../models/matting/guided-filter.js';
import type { MattingModel } from '../../../models/model.js';
import { lookTwice, secondLookScale } from '../../../models/matting/second-look.js';
import { shrunkTo } from '../../../models/pixels/shrink.js';
import type { ImageFacts, Pixels, Plane, Size } from '../../media/media.js';
import { sidesInPixels } from '../../studio/lengths.js';
import type { ColourProfile, PixelReader, Workbench } from '../workbench.js';
import { chooseNetwork } from './choose-network.js';
import { type AlphaSource, refineByMatting } from './matting.js';
import { type CutoutParams, readRegion } from './params.js';
import { haloOf } from './verdict.js';

/** What is known of the subject of a picture. */
export interface Subject {
  /** Alpha 0..255 of rows of the picture. */
  alphaOf(rows: Pixels, top: number): Promise<Uint8Array>;
  /** Takes the background out of the colours of half transparent pixels (4 channels). */
  cleanColours(rows: Pixels, top: number): void;
  /** How sure it is, 0..1: how little lies between kept and removed. */
  certainty: number;
  /** How much of the background's colour is left along the edges, 0..1. */
  halo: number;
  /** What found it: the id of a model, `trimap` or `own-alpha`. */
  foundBy: string;
  warnings: string[];
  facts: Record<string, unknown>;
  close(): Promise<void>;
}

interface Request {
  source: PixelReader;
  options: CutoutParams;
  profile: ColourProfile | undefined;
}

/** Finds the subject of the picture in `image`: by a network, by a trimap that came with it, or by its own alpha. */
export async function findSubject(bench: Workbench, { source, options, profile }: Request): Promise<Subject> {
  const { images } = bench;
  const path = bench.input('image');
  const facts = await images.facts(path, 'image');
  if (options.model === 'auto' && facts.hasAlpha && (await isCutOut(bench, facts))) return ownAlpha(facts);
  const guide = await images.decode(path, { size: guideSize(facts), channels: 3, ...(profile && { profile }) });
  const found = await findAlpha(bench, { source, options, profile, facts, guide });
  bench.checkpoint('compose');
  const alpha = await withCorrections(bench, found.alpha, { options, facts, profile });
  const guideAlpha = await alpha.at(guide);
  const colours = separateLayers(guide, guideAlpha);
  const clean = options.decontaminate ? foregroundOfRows : () => () => {};
  return {
    alphaOf: alpha.ofRows,
    cleanColours: clean(colours, facts),
    certainty: certaintyOf(found.matte),
    halo: haloOf(guide, guideAlpha, { colours, clean: clean(colours, guide) }),
    foundBy: found.foundBy,
    warnings: found.warnings,
    facts: found.facts,
    close: alpha.close,
  };
}

interface Search extends Request {
  facts: ImageFacts;
  /** The picture at a small size. */
  guide: Pixels;
}

interface Found {
  alpha: AlphaSource;
  /** 0..1, before anything was made of it. */
  matte: Plane;
  /** The id of a model, or `trimap`. */
  foundBy: string;
  warnings: string[];
  facts: Record<string, unknown>;
}

async function findAlpha(bench: Workbench, search: Search): Promise<Found> {
  const { options, guide, facts } = search;
  const hasTrimap = bench.inputs('trimap').length > 0;
  const matte = hasTrimap ? null : await runNetwork(bench, search);
  if (matte === null) return refineByMatting(bench, null, search);
  const fit = fitAlpha(matte.plane, guide);
  const inRows = alphaOfRows(fit, facts);
  const alpha: AlphaSource = {
    at: async (picture) => alphaOfRows(fit, picture)(picture, 0),
    ofRows: async (rows, top) => inRows(rows, top),
    close: async () => {},
  };
  const found = { alpha, matte: matte.plane, foundBy: matte.model, warnings: [], facts: matte.facts };
  return options.alpha_matting ? refineByMatting(bench, found, search) : found;
}

interface Seen {
  plane: Plane;
  /** Id of the model that saw it. */
  model: string;
  facts: Record<string, unknown>;
}

/** The matte of the network that is best for what is in the picture. */
async function runNetwork(bench: Workbench, { source, options, facts }: Search): Promise<Seen> {
  const choice = await chooseNetwork(bench, { source, facts, model: options.model });
  const model = await bench.model('background-removal', choice.slot);
  return { plane: await predictMatte(bench, model, facts), model: model.id, facts: { ...choice.facts } };
}

async function predictMatte(bench: Workbench, model: MattingModel, facts: ImageFacts): Promise<Plane> {
  const { width, height } = model.inputSize(facts);
  const scale = model.gainsByLookingTwice ? secondLookScale : 1;
  const size = { width: scale * width, height: scale * height };
  const picture = await bench.images.decode(bench.input('image'), { size, channels: 3 });
  bench.checkpoint('infer');
  return model.gainsByLookingTwice ? lookTwice(model, picture) : model.predict(picture);
}

/** Whether the border of a picture is transparent already and something inside of it is not. */
async function isCutOut({ images, input }: Workbench, facts: ImageFacts): Promise<boolean> {
  const { data, width, height } = await images.decode(input('image'), { size: guideSize(facts), channels: 4 });
  let [border, clear, solid] = [0, 0, 0];
  for (let at = 0; at < width * height; at++) {
    const alpha = data[4 * at + 3] as number;
    const [x, y] = [at % width, Math.floor(at / width)];
    if (alpha > 127) solid += 1;
    if (x > 0 && x < width - 1 && y > 0 && y < height - 1) continue;
    border += 1;
    if (alpha < 25) clear += 1;
  }
  return clear > border / 2 && solid > 0;
}

/** Everything is kept: what the picture itself says of its alpha is taken into account by whoever writes it. */
function ownAlpha({ width }: Size): Subject {
  return {
    alphaOf: async (rows) => new Uint8Array(width * rows.height).fill(255),
    cleanColours: () => {},
    certainty: 1,
    halo: 0,
    foundBy: 'own-alpha',
    warnings: [],
    facts: {},
    close: async () => {},
  };
}

/** A picture of this side shows every speck and hole that a person would see. */
const inspectionSide = 640;

/** Cleans up and keeps to the region of interest, as far as that is asked for. */
async function withCorrections(
  bench: Workbench,
  alpha: AlphaSource,
  { options, facts, profile }: Pick<Search, 'options' | 'facts' | 'profile'>,
): Promise<AlphaSource> {
  const keepToRegion = regionKeeper(options);
  const size = shrunkTo(facts, inspectionSide);
  const path = bench.input('image');
  const flaws =
    options.post_process_mask &&
    findFlaws(
      keepToRegion(
        await alpha.at(await bench.images.decode(path, { size, channels: 3, ...(profile && { profile }) })),
        { ...size, top: 0 },
        size,
      ),
      size,
      options.speck_size / 100,
    );
  const correct = (values: Uint8Array, rows: Pixels & { top: number }, whole: Size) => {
    keepToRegion(values, rows, whole);
    if (flaws) withoutFlaws(flaws, whole)(values, rows.top);
    return values;
  };
  return {
    at: async (picture) => correct(await alpha.at(picture), { ...picture, top: 0 }, picture),
    ofRows: async (rows, top) => correct(await alpha.ofRows(rows, top), { ...rows, top }, facts),
    close: alpha.close,
  };
}

type RegionKeeper = (alpha: Uint8Array, rows: Size & { top: number }, whole: Size) => Uint8Array;

/** What removes, in place, all that lies outside of the region of interest. */
function regionKeeper(options: CutoutParams): RegionKeeper {
  const region = readRegion(options);
  if (region === null) return (alpha) => alpha;
  return (alpha, { width, top }, whole) => {
    const [first, right, last, left] = sidesInPixels(region, whole).map(Math.round) as [number, number, number, number];
    for (let at = 0; at < alpha.length; at++) {
      const [x, y] = [at % width, top + Math.floor(at / width)];
      if (x < left || x >= right || y < first || y >= last) alpha[at] = 0;
    }
    return alpha;
  };
}

/** One less what is undecided, measured in parts of what is kept. */
function certaintyOf(matte: Plane): number {
  let [kept, undecided] = [0, 0];
  for (const value of matte.data) {
    kept += value;
    undecided += Math.min(value, 1 - value);
  }
  return kept < 1e-6 ? 0 : Math.max(0, 1 - (2 * undecided) / kept);
}
