import { z } from 'zod';
import { EngineError } from '../../errors.js';
import type { Size } from '../../media/media.js';
import { modelParam, numberBetween, oneOf, wholeNumberBetween, worded } from '../params.js';

const directions = ['all', 'left', 'right', 'up', 'down', 'horizontal', 'vertical'] as const;
type Direction = (typeof directions)[number];

const sizePattern = /^(\d{1,5})x(\d{1,5})$/;
const leastSide = 16;
const mostSide = 16_384;

/** As OpenAI's clients send them, and what this program has besides. */
export const params = z.object({
  model: modelParam().describe(
    'Id of a model of a configured service, `local-edit`, or `auto`: a service if one is configured, otherwise this machine',
  ),
  prompt: z
    .string({ error: 'a text of at most 32000 characters' })
    .max(32_000, { error: 'a text of at most 32000 characters' })
    .default('')
    .describe('What to do; without a model that reads prompts: backgrounds, shadows, light, sharpness and removal'),
  outpaint_direction: worded(
    (text) => readDirections(text) !== null,
    `one of ${directions.join(', ')}, or several with commas`,
  )
    .optional()
    .describe(`Where the picture is to go on: ${directions.join(', ')}, or several with commas; default: nowhere`),
  outpaint_amount: numberBetween(1, 100)
    .default(25)
    .describe('How far, in % of the side, 1 to 100; a `size` says it exactly'),
  size: worded(
    (text) => text === 'auto' || readSize(text) !== null,
    `auto or a size such as 1024x1024, sides from ${leastSide} to ${mostSide}`,
  )
    .default('auto')
    .describe(
      'Size of the result: auto (that of the picture) or width x height; what is larger than the picture is painted on',
    ),
  background: oneOf(['auto', 'transparent', 'opaque'])
    .default('auto')
    .describe('transparent removes the background, and the result is a PNG'),
  mask_dilate: wholeNumberBetween(0, 256)
    .default(4)
    .describe('Pixels by which the mask is grown, 0 to 256: its border often misses the edge'),
  mask_feather: wholeNumberBetween(0, 64)
    .default(0)
    .describe('Pixels, 0 to 64, over which what is filled and what was there are mixed'),
  style_strength: numberBetween(0, 1)
    .default(0.8)
    .describe('How much of the colours and tones of `style_reference` is taken over'),
  inpaint_model: modelParam().describe('Id of the model that fills the mask on this machine, or `auto`'),
  n: wholeNumberBetween(1, 10)
    .default(1)
    .describe('How many results; this machine makes one, since it would make the same again'),
  seed: wholeNumberBetween(0, 2 ** 32 - 1)
    .optional()
    .describe('For services that take one; default: none'),
  output_format: oneOf(['png', 'jpeg', 'jpg', 'webp']).default('png').describe('Format of the result'),
  output_compression: wholeNumberBetween(0, 100)
    .optional()
    .describe('Quality of jpeg and webp, 0 to 100; default: 92 and 90'),
  quality: z
    .string()
    .optional()
    .describe('For services that know it: standard, hd, low, medium, high; default: theirs'),
  input_fidelity: z.string().optional().describe('For services that know it; default: theirs'),
  moderation: z.string().optional().describe('For services that know it; default: theirs'),
  user: z.string().optional().describe('For services that know it; default: none'),
});

export type EditParams = z.output<typeof params>;

/** The size of the result; null: that of the picture. */
export function readSize(text: string): Size | null {
  const match = sizePattern.exec(text);
  if (!match) return null;
  const [width, height] = [Number(match[1]), Number(match[2])];
  const fits = [width, height].every((side) => side >= leastSide && side <= mostSide);
  return fits ? { width, height } : null;
}

/** The sides on which a picture is to go on. */
export interface Sides {
  left: boolean;
  right: boolean;
  up: boolean;
  down: boolean;
}

const sidesOf: Record<Direction, Partial<Sides>> = {
  all: { left: true, right: true, up: true, down: true },
  left: { left: true },
  right: { right: true },
  up: { up: true },
  down: { down: true },
  horizontal: { left: true, right: true },
  vertical: { up: true, down: true },
};

/** The sides that a list of directions names; null if one of them is none. */
export function readDirections(text: string): Sides | null {
  const words = text.split(',').map((word) => word.trim());
  const known = words.every((word): word is Direction => (directions as readonly string[]).includes(word));
  if (!known) return null;
  return Object.assign(
    { left: false, right: false, up: false, down: false },
    ...words.map((word) => sidesOf[word as Direction]),
  );
}

/** Where the picture lies on a larger canvas. */
export interface Canvas extends Size {
  left: number;
  top: number;
}

/**
 * The canvas on which a picture goes on, or null if it is not to: by the directions and the amount, or by a `size` that
 * is larger than the picture along some side. Errors: `too_large`.
 */
export function canvasFor(picture: Size, { outpaint_direction, outpaint_amount, size }: EditParams): Canvas | null {
  const wanted = readSize(size);
  const sides = outpaint_direction === undefined ? null : readDirections(outpaint_direction);
  const isLarger = wanted !== null && (wanted.width > picture.width || wanted.height > picture.height);
  if (!sides && !isLarger) return null;
  const canvas =
    wanted && isLarger ? placed(picture, wanted, sides) : grown(picture, sides ?? none, outpaint_amount / 100);
  const most = Math.max(canvas.width, canvas.height);
  if (most > mostSide)
    throw new EngineError('too_large', `Expected a result of at most ${mostSide} pixels a side, it would be ${most}`, {
      param: 'outpaint_direction',
    });
  return canvas;
}

const none: Sides = { left: false, right: false, up: false, down: false };

function grown({ width, height }: Size, sides: Sides, share: number): Canvas {
  const [across, down] = [Math.round(width * share), Math.round(height * share)];
  const left = sides.left ? across : 0;
  const top = sides.up ? down : 0;
  return {
    width: width + left + (sides.right ? across : 0),
    height: height + top + (sides.down ? down : 0),
    left,
    top,
  };
}

/** The room along each side goes where the directions say, otherwise to both ends. */
function placed(picture: Size, wanted: Size, sides: Sides | null): Canvas {
  const width = Math.max(picture.width, wanted.width);
  const height = Math.max(picture.height, wanted.height);
  const share = (first: boolean, last: boolean) => (first === last ? 0.5 : Number(first));
  const { left, right, up, down } = sides ?? none;
  return {
    width,
    height,
    left: Math.round((width - picture.width) * share(left, right)),
    top: Math.round((height - picture.height) * share(up, down)),
  };
}
