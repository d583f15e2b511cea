import { z } from 'zod';
import type { Size } from '../../media/media.js';
import { type Backdrop, isOpaque } from '../../studio/backdrop.js';
import { colourForms, parseColour, type Rgba } from '../../studio/colour.js';
import type { LayoutRequest } from '../../studio/layout.js';
import { type Length, parseLength, parsePlace, parseRegion, parseSides, type Sides } from '../../studio/lengths.js';
import type { Shadow } from '../../studio/shadow.js';
import { flag, modelParam, numberBetween, oneOf, wholeNumberBetween, worded } from '../params.js';

const marginLimits = { px: 5000, percent: 100 };
const paddingLimits = { px: 5000, percent: 40 };
const regionLimits = { px: 200_000 };
const sidesForms = 'one length, two (vertical, horizontal) or four (top, right, bottom, left), each as';

const colour = () => worded((text) => parseColour(text) !== null, colourForms);

/** Everything that can be said of a cut-out; checked here, read below. */
export const params = z
  .object({
    model: modelParam().describe(
      'Id of a model, or `auto`: the best that is installed for what is in the picture; a picture that is cut out already keeps its own alpha',
    ),
    only_mask: flag().default(false).describe('Give the mask itself: white is kept, black is removed'),
    channels: oneOf(['rgba', 'alpha']).default('rgba').describe('`alpha` is another way to say `only_mask`'),
    roi: worded(
      (text) => parseRegion(text, regionLimits) !== null,
      'left, top, right and bottom as 0% 0% 100% 100% or 10px 20px 300px 400px',
    )
      .default('0% 0% 100% 100%')
      .describe('The part of the picture that may be kept: left, top, right, bottom in % or px; the rest is removed'),
    alpha_matting: flag()
      .default(false)
      .describe(
        'Solve for the alpha of hair, fur and glass (closed-form matting); slower. A `trimap` picture does so too',
      ),
    alpha_matting_foreground_threshold: wholeNumberBetween(0, 255)
      .default(240)
      .describe('Matting: alpha of the mask, 0 to 255, above which a pixel is surely kept'),
    alpha_matting_background_threshold: wholeNumberBetween(0, 255)
      .default(10)
      .describe('Matting: alpha of the mask, 0 to 255, below which a pixel is surely removed'),
    alpha_matting_erode_size: wholeNumberBetween(0, 400)
      .default(10)
      .describe('Matting: pixels, 0 to 400, by which what is sure is narrowed'),
    alpha_matting_max_size: wholeNumberBetween(128, 2048)
      .default(1024)
      .describe(
        'Matting: longest side in pixels, 128 to 2048, at which it is solved; the result is carried to the full size by the colours',
      ),
    post_process_mask: flag().default(false).describe('Remove specks and fill holes'),
    speck_size: numberBetween(0, 50)
      .default(1)
      .describe('Largest speck or hole for `post_process_mask`, in % of the subject, 0 to 50'),
    decontaminate: flag()
      .default(true)
      .describe('Take the background out of the colours along the edges, so that no rim of it shows'),
    crop: flag().default(false).describe('Leave away what is empty around the subject'),
    crop_margin: worded(
      (text) => parseSides(text, marginLimits) !== null,
      `${sidesForms} 30px (to 5000) or 10% (to 100)`,
    )
      .default('0')
      .describe('Room around the cropped subject: px, or % of the subject; one, two or four values'),
    scale: worded((text) => text === 'original' || parseScale(text) !== null, 'original or 10% to 100%')
      .default('original')
      .describe('How much of the canvas the subject fills, 10% to 100%'),
    position: worded(
      (text) => ['auto', 'original', 'center'].includes(text) || parsePlace(text) !== null,
      'auto, original, center, 50% or 20% 80%',
    )
      .default('auto')
      .describe('Where the subject is: original, center, or % from the left and from the top'),
    padding: worded((text) => parseSides(text, paddingLimits) !== null, `${sidesForms} 30px (to 5000) or 10% (to 40)`)
      .default('0')
      .describe('What stays empty along the sides of the canvas: px, or % of the canvas; one, two or four values'),
    size: worded(
      (text) => Object.hasOwn(pixelsOfSize, text) || parseSize(text) !== null,
      'full, auto, preview, medium, hd or a size such as 1200x1500, sides from 16 to 16384',
    )
      .default('full')
      .describe(
        'Size of the canvas: full (as large as it comes), preview, medium or hd (at most 0.25, 1.5 or 4 megapixels), or width x height',
      ),
    aspect: worded(
      (text) => namedAspects.includes(text) || parseRatio(text) !== null,
      'original, square, marketplace or a ratio from 1:10 to 10:1',
    )
      .default('original')
      .describe(
        'Shape of the canvas: original, square, a ratio such as 4:5, or marketplace (square, white, the subject at 85%)',
      ),
    bg_color: colour()
      .optional()
      .describe('Colour of the background: #rrggbb, #rrggbbaa, rgba() or a CSS name; default: none'),
    backdrop: oneOf(['none', 'gradient', 'studio'])
      .default('none')
      .describe(
        'Background that is drawn: a gradient from `bg_color` to `bg_color_to`, or a lit studio sweep in `bg_color`',
      ),
    bg_color_to: colour().default('#d5d8dc').describe('Where a gradient ends'),
    bg_angle: numberBetween(0, 360)
      .default(180)
      .describe('Direction of a gradient in degrees, 0 to 360: 180 runs downwards'),
    shadow: oneOf(['none', 'drop', 'contact', 'soft'])
      .default('none')
      .describe('drop falls behind the subject, contact lies where it stands, soft is some of both'),
    shadow_opacity: numberBetween(0, 100).default(50).describe('How dark a shadow is, 0 to 100'),
    shadow_blur: numberBetween(0, 20).default(3).describe('How soft a shadow is, in % of the subject, 0 to 20'),
    shadow_angle: numberBetween(0, 360)
      .default(180)
      .describe('Where a drop shadow falls, in degrees, 0 to 360: 180 is straight down'),
    shadow_distance: numberBetween(0, 50)
      .default(4)
      .describe('How far a drop shadow falls, in % of the subject, 0 to 50'),
    shadow_color: colour().default('#000000').describe('Colour of a shadow'),
    format: oneOf(['png', 'webp', 'jpg', 'zip'])
      .default('png')
      .describe('Format of the result; zip holds color.jpg and alpha.png, and background.png if there is one'),
    quality: wholeNumberBetween(1, 100).optional().describe('Of jpg and webp, 1 to 100; default: 92 and 90'),
    dpi: wholeNumberBetween(1, 2400)
      .optional()
      .describe('Pixels per inch that the result says it has, 1 to 2400; default: it says nothing'),
    icc: oneOf(['srgb', 'keep'])
      .default('srgb')
      .describe('Colours of the result: sRGB, or the profile of the picture kept'),
  })
  .refine(({ format, only_mask, channels }) => format !== 'zip' || !(only_mask || channels === 'alpha'), {
    path: ['format'],
    error: 'png, webp or jpg for a mask alone (zip holds colour and alpha)',
  })
  .refine(({ size, aspect }) => parseSize(size) === null || parseRatio(aspect) === null, {
    path: ['aspect'],
    error: 'original or marketplace where `size` gives width and height',
  });

export type CutoutParams = z.output<typeof params>;

/** The words of remove.bg, its older ones too, with the most pixels that they stand for. */
const pixelsOfSize: Readonly<Record<string, number>> = {
  preview: 250_000,
  small: 250_000,
  regular: 250_000,
  medium: 1_500_000,
  hd: 4_000_000,
  full: Number.POSITIVE_INFINITY,
  auto: Number.POSITIVE_INFINITY,
  '4k': Number.POSITIVE_INFINITY,
  '50MP': Number.POSITIVE_INFINITY,
};
const namedAspects = ['original', 'square', 'marketplace'];

const marketplaceShare = 0.85;

/** Larger canvases are refused. */
export const maxCanvasPixels = 100e6;

/** Whether only the mask is wanted. */
export function wantsMask({ only_mask, channels }: CutoutParams): boolean {
  return only_mask || channels === 'alpha';
}

/** What is asked of the canvas; null when the picture is to stay at its own size with nothing behind it. */
export function readLayout(options: CutoutParams): Omit<LayoutRequest, 'source' | 'subject'> | null {
  const isMarketplace = options.aspect === 'marketplace';
  const layout = {
    crop: options.crop || isMarketplace,
    margin: parseSides(options.crop_margin, marginLimits) ?? noSides,
    padding: parseSides(options.padding, paddingLimits) ?? noSides,
    scale: parseScale(options.scale) ?? (isMarketplace ? marketplaceShare : null),
    position: readPosition(options.position),
    size: parseSize(options.size),
    ratio: parseRatio(options.aspect) ?? (options.aspect === 'original' ? null : 1),
    maxPixels: pixelsOfSize[options.size] ?? Number.POSITIVE_INFINITY,
  };
  const { crop, padding, scale, position, size, ratio } = layout;
  const isPlain =
    !crop &&
    scale === null &&
    size === null &&
    ratio === null &&
    position === null &&
    !Number.isFinite(layout.maxPixels);
  return isPlain && padding.every(({ value }) => value === 0) ? null : layout;
}

/** What is to be drawn behind the subject, that stands at `horizon` (0..1 of the height); null for nothing. */
export function readBackdrop(options: CutoutParams, horizon: number): Backdrop | null {
  const { backdrop, bg_color, aspect } = options;
  const own = bg_color === undefined ? null : colourOf(bg_color);
  if (backdrop === 'gradient') {
    return { kind: 'gradient', from: own ?? white, to: colourOf(options.bg_color_to), angle: options.bg_angle };
  }
  if (backdrop === 'studio') return { kind: 'studio', colour: own ?? studioWhite, horizon };
  if (own !== null) return { kind: 'plain', colour: own };
  return aspect === 'marketplace' ? { kind: 'plain', colour: white } : null;
}

/** Whether there is something behind the subject besides a picture that was sent. */
export function hasBackdrop(options: CutoutParams): boolean {
  return readBackdrop(options, 1) !== null || options.shadow !== 'none';
}

/** Whether nothing shows through what is drawn behind the subject. */
export function isBackdropOpaque(options: CutoutParams): boolean {
  const backdrop = readBackdrop(options, 1);
  return backdrop !== null && isOpaque(backdrop);
}

/** The shadow that is asked for; null for none. */
export function readShadow(options: CutoutParams): (Shadow & { colour: Rgba }) | null {
  if (options.shadow === 'none') return null;
  return {
    kind: options.shadow,
    opacity: options.shadow_opacity / 100,
    blur: options.shadow_blur / 100,
    angle: options.shadow_angle,
    distance: options.shadow_distance / 100,
    colour: colourOf(options.shadow_color),
  };
}

/** The part of the picture that may be kept: top, right, bottom and left edge. */
export function readRegion({ roi }: CutoutParams): Sides<Length> | null {
  return roi === '0% 0% 100% 100%' ? null : parseRegion(roi, regionLimits);
}

const none: Length = { unit: 'px', value: 0 };
const noSides: Sides<Length> = [none, none, none, none];
const white: Rgba = [255, 255, 255, 255];

/** Bright enough to look white beside a page, dark enough to be lit. */
const studioWhite: Rgba = [246, 246, 246, 255];

function colourOf(text: string): Rgba {
  return parseColour(text) ?? white;
}

function parseScale(text: string): number | null {
  const length = parseLength(text, { px: -1, percent: 100 });
  return length && length.value >= 0.1 ? length.value : null;
}

function parseSize(text: string): Size | null {
  const [, width, height] = /^(\d{1,5})\s*[x×]\s*(\d{1,5})$/i.exec(text.trim()) ?? [];
  const size = { width: Number(width), height: Number(height) };
  return Math.min(size.width, size.height) >= 16 && Math.max(size.width, size.height) <= 16_384 ? size : null;
}

function parseRatio(text: string): number | null {
  const [, width, height] = /^(\d{1,4}(?:\.\d+)?):(\d{1,4}(?:\.\d+)?)$/.exec(text.trim()) ?? [];
  const ratio = Number(width) / Number(height);
  return ratio >= 0.1 && ratio <= 10 ? ratio : null;
}

function readPosition(text: string): LayoutRequest['position'] {
  if (text === 'auto') return null;
  if (text === 'center') return { x: 0.5, y: 0.5 };
  return text === 'original' ? 'original' : parsePlace(text);
}
