import type { Size } from '../media/media.js';
import { type Length, type Place, type Sides, sidesInPixels } from './lengths.js';

export interface Box extends Size {
  left: number;
  top: number;
}

/** How a subject is to stand on a canvas. */
export interface LayoutRequest {
  /** The whole picture. */
  source: Size;
  /** Where the subject is in it; null if there is none. */
  subject: Box | null;
  /** Leave the empty parts around the subject out. */
  crop: boolean;
  /** Around the subject when it is cropped to; shares are of the subject. */
  margin: Sides<Length>;
  /** What stays empty along the sides of the canvas; shares are of the canvas. */
  padding: Sides<Length>;
  /** Share (0..1) of the canvas that the subject fills, in the tighter direction; null: as it comes. */
  scale: number | null;
  /** Where the subject is; null: in the middle if it is placed anew, where it was otherwise. */
  position: Place | 'original' | null;
  /** Of the canvas; null: as much as is needed without enlarging. */
  size: Size | null;
  /** Width by height of a canvas whose size is not given; null: as it comes. */
  ratio: number | null;
  /** Most pixels of the canvas; a larger one is made smaller with all that is on it. */
  maxPixels?: number;
}

/** Which part of the picture goes where on which canvas. */
export interface Layout {
  canvas: Size;
  from: Box;
  to: Box;
}

/**
 * The layout that is asked for. Without a request it is the picture itself. The subject is only ever enlarged when a size of
 * the canvas or a scale says so.
 */
export function layOut(request: LayoutRequest): Layout {
  const { source, subject, crop, size } = request;
  const isPlaced = subject !== null && placesAnew(request);
  const from = isPlaced ? subject : { left: 0, top: 0, ...source };
  const margin = isPlaced && crop ? sidesInPixels(request.margin, from) : none;
  const content = grow(from, margin);
  const canvas = size ?? naturalCanvas(request, isPlaced && crop ? content : source, isPlaced && crop);
  const inner = shrink(canvas, sidesInPixels(request.padding, canvas));
  const factor = enlargement(content, inner, { ...request, isPlaced });
  const free = { width: inner.width - content.width * factor, height: inner.height - content.height * factor };
  const place = placeOf(request, from, isPlaced);
  const to = {
    left: inner.left + free.width * place.x + margin[3] * factor,
    top: inner.top + free.height * place.y + margin[0] * factor,
    width: from.width * factor,
    height: from.height * factor,
  };
  return toPixels({ canvas, from, to }, request.maxPixels ?? Number.POSITIVE_INFINITY);
}

const none: Sides<number> = [0, 0, 0, 0];

function placesAnew({ crop, scale, position, padding }: LayoutRequest): boolean {
  const isMoved = position !== null && position !== 'original';
  return crop || scale !== null || isMoved || padding.some(({ value }) => value > 0);
}

function grow({ width, height }: Size, [top, right, bottom, left]: Sides<number>): Size {
  return { width: width + left + right, height: height + top + bottom };
}

function shrink({ width, height }: Size, [top, right, bottom, left]: Sides<number>): Box {
  return { left, top, width: Math.max(1, width - left - right), height: Math.max(1, height - top - bottom) };
}

/** The smallest canvas on which the content keeps its size. */
function naturalCanvas({ scale, padding, ratio }: LayoutRequest, content: Size, isCropped: boolean): Size {
  const factor = isCropped ? 1 / (scale ?? 1) : 1;
  const room = isCropped ? padding : null;
  const width = around(content.width * factor, room?.[3], room?.[1]);
  const height = around(content.height * factor, room?.[0], room?.[2]);
  if (ratio === null) return { width, height };
  return { width: Math.max(width, height * ratio), height: Math.max(height, width / ratio) };
}

/** The length that leaves `inner` between two paddings. */
function around(inner: number, ...padding: (Length | undefined)[]): number {
  let [pixels, shares] = [inner, 1];
  for (const length of padding) {
    if (length?.unit === 'px') pixels += length.value;
    if (length?.unit === 'share') shares -= length.value;
  }
  return pixels / shares;
}

function enlargement(
  content: Size,
  inner: Size,
  { scale, size, isPlaced }: LayoutRequest & { isPlaced: boolean },
): number {
  const share = isPlaced ? (scale ?? 1) : 1;
  const largest = Math.min((inner.width * share) / content.width, (inner.height * share) / content.height);
  const mayEnlarge = size !== null || (isPlaced && scale !== null);
  return mayEnlarge ? largest : Math.min(1, largest);
}

function placeOf({ position, source }: LayoutRequest, from: Box, isPlaced: boolean): Place {
  if (position !== null && position !== 'original') return position;
  const isInTheMiddle = position === null && isPlaced;
  const along = (start: number, length: number, whole: number) => (whole > length ? start / (whole - length) : 0.5);
  if (isInTheMiddle) return { x: 0.5, y: 0.5 };
  return { x: along(from.left, from.width, source.width), y: along(from.top, from.height, source.height) };
}

/** Whole pixels, inside of the canvas, within the limit. */
function toPixels({ canvas, from, to }: Layout, maxPixels: number): Layout {
  const factor = Math.min(1, Math.sqrt(maxPixels / (canvas.width * canvas.height)));
  const length = (value: number) => Math.max(1, Math.round(value * factor));
  const whole = { width: length(canvas.width), height: length(canvas.height) };
  const width = Math.min(whole.width, length(to.width));
  const height = Math.min(whole.height, length(to.height));
  const start = (value: number, room: number) => Math.min(room, Math.max(0, Math.round(value * factor)));
  return {
    canvas: whole,
    from,
    to: { left: start(to.left, whole.width - width), top: start(to.top, whole.height - height), width, height },
  };
}
