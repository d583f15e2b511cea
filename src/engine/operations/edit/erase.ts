import { dilateMask, featherMask, readEditMask } from '../../../models/filling/edit-mask.js';
import { inpaint } from '../../../models/filling/inpainting.js';
import type { OutputFormat, Pixels } from '../../media/media.js';
import { checkOverlay } from '../overlay.js';
import type { EncodeOptions, ImageKit, PixelEditor, PixelReader, Workbench } from '../workbench.js';
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
  const opened = await Promise.allSettled([
    target.kit.edit(path, { format: target.format }),
    readMask(bench, bench.inputs('mask')[0] ?? '', options),
  ]);
  const [editor, marks] = opened;
  try {
    if (editor.status === 'rejected') throw editor.reason;
    if (marks.status === 'rejected') throw marks.reason;
    checkOverlay(marks.value, editor.value, 'mask');
    await eraseMarked(bench, editor.value, marks.value, options);
    bench.checkpoint('encode');
    return await editor.value.encode(target.format, target.options);
  } finally {
    if (editor.status === 'fulfilled') await editor.value.close();
  }
}

async function readMask(bench: Workbench, path: string, { mask_dilate }: EditParams): Promise<Pixels> {
  const marks = await bench.images.open(path);
  try {
    const mask = await readEditMask(marks);
    dilateMask(mask, mask_dilate);
    return mask;
  } finally {
    await marks.close();
  }
}

/** Fills what is marked where it lies: rows without a mark are not even looked at. */
async function eraseMarked(bench: Workbench, editor: PixelEditor, mask: Pixels, { mask_feather }: EditParams) {
  const soft = mask_feather > 0 ? featherMask(mask, mask_feather) : null;
  // What is mixed must have been filled.
  if (soft) dilateMask(mask, mask_feather);
  const model = await bench.model('inpainting');
  await inpaint(editor, mask, model, {
    checkpoint: (fraction) => bench.checkpoint('infer', fraction),
    onlyFilled: true,
    write: async (rows, top) => {
      if (soft) mixRows(rows, await editor.readRows(top, rows.height), soft.data.subarray(top * editor.width));
      await editor.writeRows(top, rows);
    },
  });
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
  const model = await bench.model('inpainting');
  const writer = await target.kit.create({ width, height, channels: source.channels, format: target.format });
  await inpaint(onCanvas(source, canvas), mask, model, {
    checkpoint: (fraction) => bench.checkpoint('infer', fraction),
    write: (rows) => writer.write(rows),
  });
  bench.checkpoint('encode');
  return writer.encode(target.format, target.options);
}

/** Where a result goes: to the next step, or into the file that was asked for. */
export interface Target {
  kit: ImageKit;
  format: OutputFormat;
  options?: EncodeOptions;
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
