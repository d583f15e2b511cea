import { z } from 'zod';
import { enlarge } from '../../models/tiling.js';
import { EngineError } from '../errors.js';
import { type OutputFormat, outputFormats, type Size } from '../media/media.js';
import type { Operation } from './operation.js';
import { formatParam, modelParam, oneNumberOf } from './params.js';

const params = z.object({
  scale: oneNumberOf([2, 4]).default(2).describe('How many times as wide and as high'),
  model: modelParam(),
  format: formatParam(outputFormats),
});

/** Enlarges a picture two or four times; transparency is kept. */
export const superResolution: Operation<z.output<typeof params>> = {
  name: 'super-resolution',
  type: 'SUPER_RESOLUTION',
  command: 'upscale',
  idPrefix: 'sres',
  syncPaths: ['upscale'],
  lane: 'device',
  pictures: [{ field: 'image', required: true }],
  summary: 'Enlarges a picture two or four times',
  params,
  models: ({ model, scale }) => [
    {
      task: 'super-resolution',
      wanted: model,
      misfit: ({ constants }) =>
        constants.scale === scale ? null : `it enlarges ${constants.scale} times, and \`scale\` is ${scale}`,
    },
  ],
  async perform(bench, { scale, format }) {
    const { images } = bench;
    bench.checkpoint('decode');
    const model = await bench.model('super-resolution');
    const source = await images.open(bench.input('image'));
    try {
      const size = { width: source.width * scale, height: source.height * scale };
      checkFits(size, format);
      const target = await images.create({ ...size, channels: source.channels });
      await enlarge(source, model, {
        write: (rows) => target.write(rows),
        checkpoint: (fraction) => bench.checkpoint('infer', fraction),
      });
      bench.checkpoint('encode');
      const isFlattened = source.channels === 4 && format === 'jpg';
      const warnings = isFlattened ? ['JPEG has no transparency: the picture was put on white'] : [];
      return {
        outputs: [await target.encode(format)],
        warnings,
        facts: { scale, input: sizeOf(source), output: size },
      };
    } finally {
      await source.close();
    }
  },
};

/** Longest side that a format can say. */
const maxSides = { png: 2 ** 31 - 1, webp: 16_383, jpg: 65_500 } satisfies Record<OutputFormat, number>;

/** Fails before the work rather than after it. */
function checkFits({ width, height }: Size, format: OutputFormat): void {
  if (Math.max(width, height) <= maxSides[format]) return;
  throw new EngineError(
    'too_large',
    `Expected a result of at most ${maxSides[format]} pixels a side for ${format}, it would be ${width} × ${height}; PNG can hold it`,
    { param: 'format' },
  );
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}
