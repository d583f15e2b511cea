import { dilateMask, featherMask, readEditMask } from '../../../models/edit-mask.js';
import { inpaint } from '../../../models/inpainting.js';
import type { OutputFormat, Pixels } from '../../media/media.js';
import type { OutputFile } from '../operation.js';
import { checkOverlay } from '../overlay.js';
import type { EncodeOptions, ImageKit, PixelReader, Workbench } from '../workbench.js';
import type { Canvas, EditParams } from './params.js';

/**
 * Fills what the mask marks from what is around it; everything else comes back bit for bit. Gives the result.
 * Errors: `invalid_input` for a mask of another size.
 */
export async function erase(
  bench: Workbench,
  path: string,
  { target, options }: { target: Target; options: EditParams },
) {
  // Both at once: decoding two large pictures is most of the time that a small mask takes.
  const opened = await Promise.allSettled([path, bench.inputs('mask')[0] ?? ''].map((each) => bench.images.open(each)));
  try {
    const [source, marks] = opened.map((each) => {
      if (each.status === 'rejected') throw each.reason;
      return each.value;
    }) as [PixelReader, PixelReader];
    const mask = await readMask(marks, source, options);
    const soft = options.mask_feather > 0 ? featherMask(mask, options.mask_feather) : null;
    // What is mixed must have been filled.
    if (soft) dilateMask(mask, options.mask_feather);
    return await fill(bench, { source, mask, soft, target });
  } finally {
    for (const each of opened) if (each.status === 'fulfilled') await each.value.close();
  }
}

async function readMask(marks: PixelReader, source: PixelReader, { mask_dilate }: EditParams): Promise<Pixels> {
  checkOverlay(marks, source, 'mask');
  const mask = await readEditMask(marks);
  dilateMask(mask, mask_dilate);
  return mask;
}

/** Goes on with a picture to a larger canvas. Gives the result. */
export async function outpaint(
  bench: Workbench,
  source: PixelReader,
  { target, canvas }: { target: Target; canvas: Canvas },
) {
  const { width, height } = canvas;
  const mask: Pixels = { data: new Uint8Array(width * height).fill(255), width, height, channels: 1 };
  for (let y = canvas.top; y < canvas.top + source.height; y++) {
    mask.data.fill(0, y * width + canvas.left, y * width + canvas.left + source.width);
  }
  return fill(bench, { source: onCanvas(source, canvas), mask, soft: null, target });
}

/** Where a result goes: to the next step, or into the file that was asked for. */
export interface Target {
  kit: ImageKit;
  format: OutputFormat;
  options?: EncodeOptions;
}

interface Filling {
  source: PixelReader;
  mask: Pixels;
  /** How much of what was filled is taken, 0..255 for every pixel; null: all of it. */
  soft: Pixels | null;
  target: Target;
}

async function fill(bench: Workbench, { source, mask, soft, target }: Filling): Promise<OutputFile> {
  const model = await bench.model('inpainting');
  const { width, height, channels } = source;
  const writer = await target.kit.create({ width, height, channels, format: target.format });
  let top = 0;
  await inpaint(source, mask, model, {
    checkpoint: (fraction) => bench.checkpoint('infer', fraction),
    write: async (rows) => {
      if (soft) mixRows(rows, await source.readRows(top, rows.height), soft.data.subarray(top * width));
      await writer.write(rows);
      top += rows.height;
    },
  });
  return writer.encode(target.format, target.options);
}

/** Puts back of the rows before what the soft mask does not take. */
function mixRows(rows: Pixels, before: Pixels, soft: Uint8Array): void {
  const { data, channels } = rows;
  for (let at = 0; at < data.length; at++) {
    const share = (soft[Math.floor(at / channels)] as number) / 255;
    if (share === 1) continue;
    const old = before.data[at] as number;
    data[at] = share === 0 ? old : Math.round(old + ((data[at] as number) - old) * share);
  }
}

/** The picture on a larger canvas, whose other pixels are black until they are filled; opaque, where the picture has alpha. */
function onCanvas(source: PixelReader, { width, height, left, top }: Canvas): PixelReader {
  const { channels } = source;
  return {
    width,
    height,
    channels,
    async readRows(from, count) {
      const data = new Uint8Array(width * count * channels);
      if (channels === 4) for (let at = 3; at < data.length; at += 4) data[at] = 255;
      const [first, last] = [Math.max(from, top), Math.min(from + count, top + source.height)];
      if (first < last) {
        const rows = await source.readRows(first - top, last - first);
        for (let y = 0; y < rows.height; y++) {
          const line = rows.data.subarray(y * rows.width * channels, (y + 1) * rows.width * channels);
          data.set(line, ((first - from + y) * width + left) * channels);
        }
      }
      return { data, width, height: count, channels };
    },
    close: () => source.close(),
  };
}
