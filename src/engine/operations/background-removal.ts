import { surveyAlpha } from '../../models/matting/alpha-survey.js';
import { putOnCanvas } from './cutout/canvas.js';
import { cutoutNeeds } from './cutout/choose-network.js';
import { findSubject, type Subject } from './cutout/find-subject.js';
import { type CutoutParams, hasBackdrop, params, readLayout, wantsMask } from './cutout/params.js';
import { cutRows, maskRows } from './cutout/rows.js';
import { openTarget } from './cutout/targets.js';
import { judge } from './cutout/verdict.js';
import type { Operation, Outcome, OutputFile } from './operation.js';
import type { PixelReader, Workbench } from './workbench.js';

/** Cuts out the subject of a picture: at its own size with a true alpha channel, or ready for sale on a canvas. */
export const backgroundRemoval: Operation<CutoutParams> = {
  name: 'background-removal',
  type: 'BACKGROUND_REMOVAL',
  command: 'cutout',
  idPrefix: 'bgrm',
  batch: { idPrefix: 'bgrm_batch', max: 100 },
  syncPaths: ['background-removal', 'remove-background'],
  lane: 'device',
  pictures: [{ field: 'image', required: true }, { field: 'trimap', isOverlay: true }, { field: 'bg_image' }],
  summary: 'Removes the background of a picture, and puts what is left on a canvas',
  params,
  judges: true,
  models: ({ model }) => cutoutNeeds(model),
  async perform(bench, options) {
    bench.checkpoint('decode');
    const { profile, warnings } = await colourProfile(bench, options);
    const source = await bench.images.open(bench.input('image'), { profile: profile && 'own' });
    try {
      const subject = await findSubject(bench, { source, options, profile: profile && 'own' });
      try {
        return await write(bench, { source, subject, options, profile, warnings: [...warnings, ...subject.warnings] });
      } finally {
        await subject.close();
      }
    } finally {
      await source.close();
    }
  },
};

/** The profile that the result is to have; undefined for sRGB. */
async function colourProfile(bench: Workbench, { icc }: CutoutParams) {
  if (icc === 'srgb') return { profile: undefined, warnings: [] };
  const profile = (await bench.images.profile(bench.input('image'))) ?? undefined;
  return { profile, warnings: profile ? [] : ['The picture has no RGB profile to keep: the result is in sRGB'] };
}

interface Job {
  source: PixelReader;
  subject: Subject;
  options: CutoutParams;
  profile: Uint8Array | undefined;
  warnings: string[];
}

async function write(bench: Workbench, job: Job): Promise<Outcome> {
  const { source, subject, options } = job;
  const { output, isOpaque, survey, warnings, facts } = await (isPlain(bench, options) ? writePlain : writeCanvas)(
    bench,
    job,
  );
  const quality = judge(survey, subject);
  const isFlattened = options.format === 'jpg' && !wantsMask(options) && !isOpaque;
  const flattened = isFlattened ? ['JPEG has no transparency: the cut-out was put on white'] : [];
  return {
    outputs: [output],
    warnings: [...warnings, ...flattened],
    facts: { width: source.width, height: source.height, ...subject.facts, ...facts, quality },
    modelActual: subject.foundBy,
  };
}

/** Whether the result has the size of the picture and nothing behind it: then nothing needs to be written twice. */
function isPlain(bench: Workbench, options: CutoutParams): boolean {
  const isEmpty = wantsMask(options) || (!hasBackdrop(options) && bench.inputs('bg_image').length === 0);
  return readLayout(options) === null && isEmpty;
}

interface Written {
  output: OutputFile;
  isOpaque: boolean;
  survey: ReturnType<ReturnType<typeof surveyAlpha>['result']>;
  warnings: string[];
  facts: Record<string, unknown>;
}

async function writePlain(bench: Workbench, { source, subject, options, profile, warnings }: Job): Promise<Written> {
  const survey = surveyAlpha(source);
  const { width, height } = source;
  const target = await openTarget(bench, { width, height, options, profile, isOpaque: false, hasBehind: false });
  const rowsOf = wantsMask(options) ? maskRows : cutRows;
  for await (const rows of rowsOf(bench, source, subject)) {
    survey.add(rows);
    await target.write(rows);
  }
  bench.checkpoint('encode');
  const seen = survey.result();
  return { output: await target.finish(), isOpaque: false, survey: seen, warnings, facts: { foreground: seen.box } };
}

/** Where the subject is must be known before it can be placed: it is cut out to a file first. */
async function writeCanvas(bench: Workbench, { source, subject, options, profile, warnings }: Job): Promise<Written> {
  const surveying = surveyAlpha(source);
  const writer = await bench.images.create({ width: source.width, height: source.height, channels: 4 });
  for await (const rows of cutRows(bench, source, subject)) {
    surveying.add(rows);
    await writer.write(rows);
  }
  const survey = surveying.result();
  const cut = await writer.read();
  try {
    const made = await putOnCanvas(bench, { cut, survey, options, profile });
    return { ...made, survey, warnings: [...warnings, ...made.warnings] };
  } finally {
    await cut.close();
  }
}
