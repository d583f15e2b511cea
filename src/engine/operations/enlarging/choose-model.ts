import type { ModelEntry } from '../../../models/lockfile.js';
import type { PictureKind, UpscaleModel } from '../../../models/model.js';
import { isDrawing, measurePicture } from '../../../models/pixels/picture-facts.js';
import type { ModelNeed } from '../operation.js';
import { middleOf } from '../picture-middle.js';
import { suitedTo } from '../suited-to.js';
import { type Mixture, type PixelReader, twinOf, type Workbench } from '../workbench.js';
import type { EnlargingParams } from './params.js';

/** The factors that models have; a model of the smallest one that is enough comes first, whatever is left is resampled. */
const steps = [2, 4];

/** A model for every kind of picture that may come, as far as they are installed; a model that was named is for all of them. */
export function enlargingNeeds({ model, scale, target_width, content }: EnlargingParams): ModelNeed[] {
  const task = 'super-resolution';
  if (model !== 'auto') return [{ task, wanted: model, twin: true }];
  const step = target_width === undefined ? stepFor(scale) : largestStep;
  const kinds: PictureKind[] = content === 'auto' ? ['photograph', 'drawing', 'damaged'] : [content, 'photograph'];
  const main: ModelNeed = { task, wanted: model, misfit: misfit('photograph', step), twin: true };
  const others = steps.flatMap((each) => kinds.map((kind) => ({ kind, step: each })));
  return [
    main,
    ...others.map(
      ({ kind, step: each }) =>
        ({
          task,
          slot: slotOf(kind, each),
          wanted: model,
          misfit: misfit(kind, each),
          twin: true,
          optional: true,
        }) satisfies ModelNeed,
    ),
  ];
}

const largestStep = Math.max(...steps);

function stepFor(factor: number): number {
  return steps.find((step) => step >= factor) ?? largestStep;
}

function slotOf(kind: PictureKind, step: number): string {
  return `${kind}-x${step}`;
}

function misfit(kind: PictureKind, step: number): NonNullable<ModelNeed['misfit']> {
  return (entry: ModelEntry) =>
    entry.constants.scale === step
      ? suitedTo(kind)(entry)
      : `it enlarges ${entry.constants.scale} times, and ${step} times is needed`;
}

/** The model of a job, and why it is that one. */
export interface Choice {
  model: UpscaleModel;
  fallback(): Promise<UpscaleModel | null>;
  kind: PictureKind | 'as named';
  reason: string;
  warnings: string[];
}

/** The model by what is in the picture, with its twin mixed in as asked. */
export async function chooseModel(
  bench: Workbench,
  { source, factor }: { source: PixelReader; factor: number },
  options: EnlargingParams,
): Promise<Choice> {
  const { kind, reason } = await kindOf(source, options);
  const slot = kind === 'as named' ? 'super-resolution' : installedSlot(bench, kind, stepFor(factor));
  const { mixture, warnings } = mix(bench, slot, options);
  return {
    model: await bench.model('super-resolution', mixture),
    fallback: () => bench.onCpu('super-resolution', mixture),
    kind,
    reason,
    warnings,
  };
}

/**
 * A model for the kind of picture goes before one for the step: twice larger by way of four times, noisy and compressed
 * pictures come out 0.4 to 1.5 dB better than by the clean model.
 */
function installedSlot(bench: Workbench, kind: PictureKind, step: number): string {
  const wanted = [slotOf(kind, step), slotOf(kind, largestStep), slotOf('photograph', step)];
  return wanted.find((slot) => bench.has(slot)) ?? 'super-resolution';
}

function mix(
  bench: Workbench,
  slot: string,
  { denoise_strength: share }: EnlargingParams,
): { mixture: string | Mixture; warnings: string[] } {
  if (share === undefined || share === 1) return { mixture: slot, warnings: [] };
  if (bench.has(twinOf(slot))) return { mixture: { slot, share }, warnings: [] };
  return {
    mixture: slot,
    warnings: ['`denoise_strength` was ignored: the model that was chosen has no twin to mix with'],
  };
}

/** Pixels a side of the middle that is looked at: as many as make the measures reliable. */
const lookedAt = 512;

async function kindOf(
  source: PixelReader,
  { model, content }: EnlargingParams,
): Promise<Pick<Choice, 'kind' | 'reason'>> {
  if (model !== 'auto') return { kind: 'as named', reason: 'a model was named' };
  if (content !== 'auto') return { kind: content, reason: '`content` says so' };
  const facts = measurePicture(await middleOf(source, lookedAt));
  if (facts.noise >= noisy) return { kind: 'damaged', reason: `noise of ${facts.noise.toFixed(1)} of 255` };
  if (facts.blockiness >= blocky) return { kind: 'damaged', reason: `JPEG blocks, ${facts.blockiness.toFixed(2)}` };
  if (isDrawing(facts)) return { kind: 'drawing', reason: `flat areas of ${Math.round(facts.flatness * 100)} %` };
  return { kind: 'photograph', reason: 'no noise, no JPEG blocks, no flat areas' };
}

// Seen on Kodak's and gb82's pictures: clean ones have noise up to 4 (grass, water) and blockiness up to 1.03; with noise
// of 15 it is 6 to 10, with JPEG of quality 50 and less blockiness is above 1.3 in most; drawings are flat to 60 %.
const noisy = 5.5;
const blocky = 1.35;
