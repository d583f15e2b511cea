import type { AlphaSurvey } from '../../../models/matting/alpha-survey.js';
import { createResampler } from '../../../models/pixels/resample.js';
import { EngineError } from '../../errors.js';
import type { Pixels, Size } from '../../media/media.js';
import { type Backdrop, type BackdropRows, backdropRows } from '../../studio/backdrop.js';
import type { Rgba } from '../../studio/colour.js';
import { composeRows, layOver, layShadow } from '../../studio/composition.js';
import { type Box, type Layout, layOut } from '../../studio/layout.js';
import type { Length, Sides } from '../../studio/lengths.js';
import { castShadow, shadowReach } from '../../studio/shadow.js';
import type { OutputFile } from '../operation.js';
import type { ColourProfile, PixelReader, Workbench } from '../workbench.js';
import {
  type CutoutParams,
  isBackdropOpaque,
  maxCanvasPixels,
  readBackdrop,
  readLayout,
  readShadow,
  wantsMask,
} from './params.js';
import { openTarget, type Target } from './targets.js';

export interface CanvasRequest {
  /** The cut-out at its own size, 4 channels. */
  cut: PixelReader;
  survey: AlphaSurvey;
  options: CutoutParams;
  profile: Uint8Array | undefined;
}

export interface CanvasResult {
  output: OutputFile;
  /** Whether nothing shows through. */
  isOpaque: boolean;
  warnings: string[];
  facts: Record<string, unknown>;
}

/** Puts a cut-out on a canvas with what is to be behind it, by rows. Errors: `too_large`. */
export async function putOnCanvas(bench: Workbench, request: CanvasRequest): Promise<CanvasResult> {
  const { cut, options, survey, profile } = request;
  const layout = arrange(request);
  const behind = wantsMask(options) ? nothing(layout.canvas) : await openBehind(bench, { ...request, layout });
  try {
    const target = await openTarget(bench, {
      ...layout.canvas,
      options,
      isOpaque: behind.isOpaque,
      hasBehind: behind.isSomething,
      profile,
    });
    await compose(bench, { cut, layout, target, behind, isApart: options.format === 'zip' || wantsMask(options) });
    bench.checkpoint('encode');
    const factor = layout.to.width / layout.from.width;
    const enlarged = `The subject was enlarged ${factor.toFixed(1)} times to fill the canvas; super-resolution keeps it sharper`;
    return {
      output: await target.finish(),
      isOpaque: behind.isOpaque,
      warnings: factor > 1.5 && survey.box !== null ? [enlarged] : [],
      facts: {
        canvas: layout.canvas,
        subject: layout.to,
        foreground: foregroundOn(layout, survey.box),
        factor: Number(factor.toFixed(4)),
      },
    };
  } finally {
    await behind.close();
  }
}

/** The smallest rectangle of the canvas around all of the subject that can be seen; null if nothing can. */
function foregroundOn({ from, to }: Layout, box: Box | null): Box | null {
  if (box === null) return null;
  const [across, down] = [to.width / from.width, to.height / from.height];
  return {
    left: Math.round(to.left + (box.left - from.left) * across),
    top: Math.round(to.top + (box.top - from.top) * down),
    width: Math.round(box.width * across),
    height: Math.round(box.height * down),
  };
}

const usualLayout = {
  crop: false,
  margin: zeroSides(),
  padding: zeroSides(),
  scale: null,
  position: null,
  size: null,
  ratio: null,
} as const;

function arrange({ cut, survey, options }: CanvasRequest): Layout {
  const asked = readLayout(options) ?? usualLayout;
  const source = { width: cut.width, height: cut.height };
  // A scale leaves room by itself, and means what it says.
  const margin = asked.scale === null ? withShadowRoom(asked.margin, survey.box, options) : asked.margin;
  const layout = layOut({ ...asked, margin, source, subject: survey.box });
  const { width, height } = layout.canvas;
  if (width * height <= maxCanvasPixels) return layout;
  const message = `Expected a canvas of at most ${maxCanvasPixels / 1e6} megapixels, it would be ${width} × ${height}; ask for less \`padding\` or a smaller \`size\``;
  throw new EngineError('too_large', message, { param: 'size' });
}

/** A shadow that would be cut off where the canvas is cropped to the subject gets the room that it needs. */
function withShadowRoom(margin: Sides<Length>, box: Box | null, options: CutoutParams): Sides<Length> {
  const shadow = readShadow(options);
  if (shadow === null || box === null) return margin;
  const longest = Math.max(box.width, box.height);
  const reach = shadowReach(shadow).map((share) => share * longest);
  return margin.map((length, side): Length => {
    const own = length.unit === 'px' ? length.value : length.value * (side % 2 === 0 ? box.height : box.width);
    return { unit: 'px', value: Math.max(own, reach[side] as number) };
  }) as unknown as Sides<Length>;
}

function zeroSides(): Sides<Length> {
  const none: Length = { unit: 'px', value: 0 };
  return [none, none, none, none];
}

/** What is behind the subject, as rows of the canvas. */
interface Behind {
  isSomething: boolean;
  isOpaque: boolean;
  rows(top: number, height: number): Promise<Pixels>;
  close(): Promise<void>;
}

function nothing(canvas: Size): Behind {
  const rows = backdropRows({ kind: 'plain', colour: [0, 0, 0, 0] }, canvas);
  return { isSomething: false, isOpaque: false, rows: async (top, height) => rows(top, height), close: async () => {} };
}

async function openBehind(bench: Workbench, request: CanvasRequest & { layout: Layout }): Promise<Behind> {
  const { layout, options, survey, cut, profile } = request;
  const { canvas, to } = layout;
  const picture = await openPicture(bench, canvas, profile);
  const horizon = (to.top + to.height) / canvas.height;
  const backdrop = await inProfile(bench, readBackdrop(options, horizon), profile);
  const drawn = backdropRows(backdrop ?? { kind: 'plain', colour: [0, 0, 0, 0] }, canvas);
  const shadow = readShadow(options);
  const darkness = shadow && castShadow(survey.plane, { ...layout, source: cut }, shadow);
  return {
    isSomething: picture !== null || backdrop !== null || shadow !== null,
    isOpaque: picture?.channels === 3 || isBackdropOpaque(options),
    async rows(top, height) {
      const rows = picture ? await pictureRows(picture, { top, height, drawn }) : drawn(top, height);
      if (shadow && darkness) layShadow(rows, darkness(top, height), shadow.colour);
      return rows;
    },
    close: async () => picture?.close(),
  };
}

/** A backdrop whose colours are said in the numbers of a profile; they were given in sRGB. */
async function inProfile(
  bench: Workbench,
  backdrop: Backdrop | null,
  profile: Uint8Array | undefined,
): Promise<Backdrop | null> {
  if (profile === undefined || backdrop === null) return backdrop;
  const convert = async ([red, green, blue, alpha]: Rgba): Promise<Rgba> => {
    const swatch = { data: Uint8Array.of(red, green, blue), width: 1, height: 1, channels: 3 } as const;
    const { path } = await bench.images.encode(swatch, 'png');
    const { data } = await bench.images.decode(path, { profile, channels: 3 });
    return [data[0] as number, data[1] as number, data[2] as number, alpha];
  };
  if (backdrop.kind !== 'gradient') return { ...backdrop, colour: await convert(backdrop.colour) };
  return { ...backdrop, from: await convert(backdrop.from), to: await convert(backdrop.to) };
}

/** The picture in `bg_image`, so large that it covers the canvas, its middle in the middle; null if none was sent. */
async function openPicture(
  bench: Workbench,
  canvas: Size,
  profile: ColourProfile | undefined,
): Promise<PixelReader | null> {
  const path = bench.inputs('bg_image')[0];
  if (path === undefined) return null;
  await bench.images.facts(path, 'bg_image');
  const source = await bench.images.open(path, { profile });
  try {
    const factor = Math.max(canvas.width / source.width, canvas.height / source.height);
    const part = {
      width: Math.min(source.width, Math.round(canvas.width / factor)),
      height: Math.min(source.height, Math.round(canvas.height / factor)),
    };
    const from = {
      left: Math.floor((source.width - part.width) / 2),
      top: Math.floor((source.height - part.height) / 2),
      ...part,
    };
    const writer = await bench.images.create({ ...canvas, channels: source.channels });
    await resample(bench, { source, from, to: canvas, write: (rows) => writer.write(rows) });
    return await writer.read();
  } finally {
    await source.close();
  }
}

async function pictureRows(
  picture: PixelReader,
  { top, height, drawn }: { top: number; height: number; drawn: BackdropRows },
): Promise<Pixels> {
  const rows = await picture.readRows(top, height);
  const result = drawn(top, height);
  layOver(result, rows.channels === 4 ? rows : opaque(rows), 0);
  return result;
}

function opaque({ data, width, height }: Pixels): Pixels {
  const result = new Uint8Array(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    result[to] = data[from] as number;
    result[to + 1] = data[from + 1] as number;
    result[to + 2] = data[from + 2] as number;
  }
  return { data: result, width, height, channels: 4 };
}

interface Composing {
  cut: PixelReader;
  layout: Layout;
  target: Target;
  behind: Behind;
  /** The subject and what is behind it go to the target one beside the other. */
  isApart: boolean;
}

async function compose(bench: Workbench, { cut, layout, target, behind, isApart }: Composing): Promise<void> {
  const { canvas, from, to } = layout;
  const empty = backdropRows({ kind: 'plain', colour: [0, 0, 0, 0] }, canvas);
  let next = 0;
  const composition = composeRows({
    canvas,
    box: to,
    under: isApart ? async (top, height) => empty(top, height) : behind.rows,
    async write(rows) {
      bench.checkpoint('compose', next / canvas.height);
      await target.write(rows, isApart && behind.isSomething ? await behind.rows(next, rows.height) : undefined);
      next += rows.height;
    },
  });
  await resample(bench, { source: cut, from, to, write: (rows) => composition.push(rows) });
  await composition.finish();
}

interface Resampling {
  source: PixelReader;
  from: Box;
  to: Size;
  write(rows: Pixels): Promise<void>;
}

const rowsAtATime = 128;

/** A part of a picture at another size, by rows. */
async function resample(bench: Workbench, { source, from, to, write }: Resampling): Promise<void> {
  const isSame = from.width === to.width && from.height === to.height;
  const { channels } = source;
  const push = isSame ? write : createResampler({ from: { ...from, channels }, to, write }).push;
  for (let row = 0; row < from.height; row += rowsAtATime) {
    bench.checkpoint('compose', row / from.height);
    const rows = await source.readRows(from.top + row, Math.min(rowsAtATime, from.height - row));
    await push(cropColumns(rows, from));
  }
}

function cropColumns({ data, width, height, channels }: Pixels, { left, width: kept }: Box): Pixels {
  if (kept === width) return { data, width, height, channels };
  const result = new Uint8Array(kept * height * channels);
  for (let y = 0; y < height; y++) {
    const at = (y * width + left) * channels;
    result.set(data.subarray(at, at + kept * channels), y * kept * channels);
  }
  return { data: result, width: kept, height, channels };
}
