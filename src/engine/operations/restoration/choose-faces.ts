import type { Face } from '../../../models/model.js';
import { measurePicture } from '../../../models/pixels/picture-facts.js';
import type { Pixels, Size } from '../../media/media.js';
import { lackOfFaceModels, type Strength } from '../faces/face-wish.js';
import { facesIn } from '../faces/find-faces.js';
import { describeFaces, restorableFaces } from '../faces/restore-faces.js';
import { partOf } from '../picture-middle.js';
import type { PixelReader, Workbench } from '../workbench.js';
import { blurIn, type Choice, compressionIn, noiseIn } from './diagnosis.js';

/** Which faces are restored, how strongly, and why. */
export interface FaceChoice extends Choice {
  faces: Face[];
  warnings: string[];
}

interface Sight {
  path: string;
  source: PixelReader;
  /** Of a JPEG file; null for other formats. */
  jpegQuality: number | null;
}

/** What `auto` chooses: enough to bring a face back, and some of what the camera saw with it. */
const usualStrength = 0.7;

/** Less compression does nothing to a face that a restorer would not do as well. */
const leastCompression = 0.3;

/** Finds faces and says how strongly they are to be restored; by `auto` only those of a damaged picture, or blurred ones. */
export async function chooseFaces(bench: Workbench, sight: Sight, strength: Strength): Promise<FaceChoice> {
  const none = (reason: string, warnings: string[] = []) => ({ amount: 0, reason, faces: [], warnings });
  if (strength === 0) return none('as asked');
  const lack = lackOfFaceModels(bench);
  if (lack !== null) return none(lack);
  const faces = restorableFaces(await facesIn(bench, sight.path, sight.source));
  const found = describeFaces(faces);
  const [largest] = faces;
  if (!largest) return none(found, strength === 'auto' ? [] : [`There is ${found}: \`faces\` changed nothing`]);
  if (strength !== 'auto') return { amount: strength, reason: `as asked: ${found}`, faces, warnings: [] };
  const { isDamaged, reason } = lookAt(await faceAlone(sight.source, largest), sight);
  if (!isDamaged) return none(`${found}: ${reason}`);
  return { amount: usualStrength, reason: `${found}: ${reason}`, faces, warnings: [] };
}

/** What of a face is looked at, in pixels a side. */
const lookedAt = 512;

async function faceAlone(source: PixelReader, { left, top, width, height }: Face): Promise<Pixels> {
  const span = (start: number, length: number, end: number): [number, number] => {
    const size = Math.min(lookedAt, Math.max(1, Math.round(length)), end);
    const middle = start + length / 2 - size / 2;
    // On the grid of JPEG's blocks.
    return [Math.floor(Math.min(Math.max(0, middle), end - size) / 8) * 8, size];
  };
  const [across, down] = [span(left, width, source.width), span(top, height, source.height)];
  const size: Size = { width: across[1], height: down[1] };
  return partOf(source, { left: across[0], top: down[0], ...size });
}

function lookAt(face: Pixels, { jpegQuality }: Sight): { isDamaged: boolean; reason: string } {
  const { noise, blockiness, sharpness } = measurePicture(face);
  const [grain, blocks, blur] = [noiseIn(noise), compressionIn(blockiness, jpegQuality), blurIn(sharpness, noise)];
  if (grain.amount > 0) return { isDamaged: true, reason: grain.reason };
  if (blocks.amount >= leastCompression) return { isDamaged: true, reason: blocks.reason };
  return { isDamaged: blur.amount > 0, reason: blur.amount > 0 ? blur.reason : 'nothing wrong with it' };
}
