import { alphaOfRows } from '../../models/matting/alpha-rows.js';
import { separateLayers } from '../../models/matting/colour-layers.js';
import { foregroundOfRows } from '../../models/matting/foreground.js';
import { fitAlpha, guideSize } from '../../models/matting/guided-filter.js';
import type { ImageFacts, Pixels, Plane, Size } from '../media/media.js';
import type { Workbench } from '../operations/workbench.js';
import type { Focus } from './framing.js';

/** What a picture is of, found by a model or by the transparency of the picture. */
export interface Subject {
  /** Its middle, and how much of the picture it is (0..1). */
  focus: Focus;
  share: number;
  /** The picture at this size with a true alpha channel. */
  cutOut(size: Size): Promise<Pixels>;
}

/** A picture without any subject that could be told: its middle is as good as any place. */
const middle: Focus = { x: 0.5, y: 0.5 };

/** Less of a picture, or more of it, is no subject. */
const [least, most] = [0.01, 0.9];

/** The subject of a picture; null if no model for cutting out is there and the picture has no transparency. */
export async function findSubject(bench: Workbench, path: string, facts: ImageFacts): Promise<Subject | null> {
  const { images } = bench;
  if (facts.hasAlpha) {
    const small = await images.decode(path, { size: guideSize(facts), channels: 4 });
    const alpha = alphaOf(small);
    if (alpha.data.some((value) => value < 0.5)) {
      return { ...measured(alpha), cutOut: (size) => images.decode(path, { size, channels: 4 }) };
    }
  }
  if (!bench.has('background-removal')) return null;
  const model = await bench.model('background-removal');
  const small = await images.decode(path, { size: model.inputSize(facts), channels: 3 });
  const guide = await images.decode(path, { size: guideSize(facts), channels: 3 });
  bench.checkpoint('infer');
  const matte = await model.predict(small);
  bench.checkpoint('compose');
  const fit = fitAlpha(matte, guide);
  return {
    ...measured(matte),
    async cutOut(size) {
      const picture = await images.decode(path, { size, channels: 3 });
      const colours = separateLayers(guide, alphaOfRows(fit, guide)(guide, 0));
      const result = withAlpha(picture, alphaOfRows(fit, size)(picture, 0));
      foregroundOfRows(colours, size)(result, 0);
      return result;
    },
  };
}

/** How opaque each pixel is, 0..1. */
export function alphaOf({ data, width, height }: Pixels): Plane {
  return {
    data: Float32Array.from({ length: width * height }, (_, at) => (data[4 * at + 3] as number) / 255),
    width,
    height,
  };
}

/** The centre of gravity of a matte and its share of the picture. */
function measured({ data, width, height }: Plane): Pick<Subject, 'focus' | 'share'> {
  let [sum, across, down] = [0, 0, 0];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const value = data[at] as number;
      sum += value;
      across += value * (x + 0.5);
      down += value * (y + 0.5);
    }
  }
  const share = sum / data.length;
  const isTold = share > least && share < most;
  return { focus: isTold ? { x: across / sum / width, y: down / sum / height } : middle, share };
}

function withAlpha({ data, width, height }: Pixels, alpha: Uint8Array): Pixels {
  const result = new Uint8Array(4 * alpha.length);
  for (let at = 0; at < alpha.length; at++) {
    for (let channel = 0; channel < 3; channel++) result[4 * at + channel] = data[3 * at + channel] as number;
    result[4 * at + 3] = alpha[at] as number;
  }
  return { data: result, width, height, channels: 4 };
}
