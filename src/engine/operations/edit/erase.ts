import { dilateMask, featherMask, readEditMask } from '../../../models/edit-mask.js';
import { inpaint } from '../../../models/inpainting.js';
import { EngineError } from '../../errors.js';
import type { Pixels } from '../../media/media.js';
import type { ImageKit, PixelReader, Workbench } from '../workbench.js';
import type { Canvas, EditParams } from './params.js';

/**
 * Fills what the mask marks from what is around it; everything else comes back bit for bit. Gives the path of the result.
 * Errors: `invalid_input` for a mask of another size.
 */
export async function erase(
  bench: Workbench,
  source: PixelReader,
  { kit, options }: { kit: ImageKit; options: EditParams },
) {
  const mask = await readMask(bench, source, options);
  const soft = options.mask_feather > 0 ? featherMask(mask, options.mask_feather) : null;
  // What is mixed must have been filled.
  if (soft) dilateMask(mask, options.mask_feather);
  return fill(bench, { source, mask, soft, kit });
}

async function readMask(
  bench: Workbench,
  { width, height }: PixelReader,
  { mask_dilate }: EditParams,
): Promise<Pixels> {
  const reader = await bench.images.open(bench.input('mask'));
  try {
    if (reader.width !== width || reader.height !== height) {
      const message = `Expected a mask of the size of the picture, ${width} × ${height}, got ${reader.width} × ${reader.height}; white or transparent is what to edit`;
      throw new EngineError('invalid_input', message, { param: 'mask' });
    }
    const mask = await readEditMask(reader);
    dilateMask(mask, mask_dilate);
    return mask;
  } finally {
    await reader.close();
  }
}

/** Goes on with a picture to a larger canvas. Gives the path of the result. */
export async function outpaint(
  bench: Workbench,
  source: PixelReader,
  { kit, canvas }: { kit: ImageKit; canvas: Canvas },
) {
  const { width, height } = canvas;
  const mask: Pixels = { data: new Uint8Array(width * height).fill(255), width, height, channels: 1 };
  for (let y = canvas.top; y < canvas.top + source.height; y++) {
    mask.data.fill(0, y * width + canvas.left, y * width + canvas.left + source.width);
  }
  return fill(bench, { source: onCanvas(source, canvas), mask, soft: null, kit });
}

interface Filling {
  source: PixelReader;
  mask: Pixels;
  /** How much of what was filled is taken, 0..255 for every pixel; null: all of it. */
  soft: Pixels | null;
  kit: ImageKit;
}

async function fill(bench: Workbench, { source, mask, soft, kit }: Filling): Promise<string> {
  const model = await bench.model('inpainting');
  const { width, height, channels } = source;
  const target = await kit.create({ width, height, channels });
  let top = 0;
  await inpaint(source, mask, model, {
    checkpoint: (fraction) => bench.checkpoint('infer', fraction),
    write: async (rows) => {
      if (soft) mixRows(rows, await source.readRows(top, rows.height), soft.data.subarray(top * width));
      await target.write(rows);
      top += rows.height;
    },
  });
  return (await target.encode('png')).path;
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
