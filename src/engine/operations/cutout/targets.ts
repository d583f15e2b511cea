import type { OutputFormat, Pixels, Size } from '../../media/media.js';
import type { OutputFile } from '../operation.js';
import type { EncodeOptions, PixelWriter, Workbench } from '../workbench.js';
import { type CutoutParams, wantsMask } from './params.js';
import { alphaOf, coloursOf, spreadColours } from './rows.js';

/** Where the rows of a result go: rows with alpha come in, one file comes out. */
export interface Target {
  /** The next rows of the result, 4 channels (or 1, of a mask); `behind` are those of its background, when that is kept apart. */
  write(rows: Pixels, behind?: Pixels): Promise<void>;
  finish(): Promise<OutputFile>;
}

export interface TargetOptions extends Size {
  options: CutoutParams;
  /** Nothing shows through: no alpha is written. */
  isOpaque: boolean;
  /** Whether a background comes apart. */
  hasBehind: boolean;
  profile: Uint8Array | undefined;
}

/** The target for what is asked for: one picture, or a zip of colour and alpha apart. Errors: `too_large` for the format. */
export function openTarget(bench: Workbench, target: TargetOptions): Promise<Target> {
  return target.options.format === 'zip' ? openZip(bench, target) : openPicture(bench, target);
}

async function openPicture(bench: Workbench, { options, isOpaque, profile, ...size }: TargetOptions): Promise<Target> {
  const channels = wantsMask(options) ? 1 : isOpaque ? 3 : 4;
  const format = options.format as OutputFormat;
  const writer = await create(bench, { ...size, channels, format, profile: channels === 1 ? undefined : profile });
  return {
    write: (rows) => writer.write(rows.channels === channels ? rows : withoutAlpha(rows, channels)),
    finish: () => writer.encode(format, encoding(options)),
  };
}

function withoutAlpha(rows: Pixels, kept: 1 | 3 | 4): Pixels {
  return kept === 1 ? alphaOf(rows) : coloursOf(rows);
}

/** As remove.bg's zips: the colours are whole to the edges, whoever composes them needs no picture with alpha. */
async function openZip(bench: Workbench, { options, hasBehind, profile, ...size }: TargetOptions): Promise<Target> {
  const shape = { width: size.width, height: size.height };
  const colour = await create(bench, { ...shape, channels: 3, format: 'jpg', profile });
  const alpha = await create(bench, { ...shape, channels: 1, format: 'png', profile: undefined });
  const background = hasBehind ? await create(bench, { ...shape, channels: 4, format: 'png', profile }) : null;
  const { quality, dpi } = encoding(options);
  return {
    async write(rows, behind) {
      await colour.write(spreadColours(rows));
      await alpha.write(alphaOf(rows));
      if (behind) await background?.write(behind);
    },
    async finish() {
      const files = [
        { name: 'color.jpg', file: await colour.encode('jpg', { quality, dpi }) },
        { name: 'alpha.png', file: await alpha.encode('png', { dpi }) },
      ];
      if (background) files.push({ name: 'background.png', file: await background.encode('png', { dpi }) });
      return bench.images.pack(files);
    },
  };
}

function create(
  bench: Workbench,
  {
    width,
    height,
    channels,
    format,
    profile,
  }: Size & { channels: 1 | 3 | 4; format: OutputFormat; profile: Uint8Array | undefined },
): Promise<PixelWriter> {
  return bench.images.create({ width, height, channels, format, profile });
}

function encoding({ quality, dpi }: CutoutParams): EncodeOptions {
  return { quality, dpi };
}
