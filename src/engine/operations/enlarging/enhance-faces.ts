import type { Face } from '../../../models/model.js';
import type { Size } from '../../media/media.js';
import { lackOfFaceModels, type Strength } from '../faces/face-wish.js';
import { facesIn } from '../faces/find-faces.js';
import { describeFaces, restorableFaces, restoreFaces } from '../faces/restore-faces.js';
import { bands } from '../picture-rows.js';
import type { PixelWriter, Workbench } from '../workbench.js';

/** Which faces are restored, how strongly, and why. */
export interface FaceChoice {
  faces: Face[];
  amount: number;
  reason: string;
  warnings: string[];
}

/** What `auto` chooses: enough to bring a face back, and some of what the camera saw with it. */
const usualStrength = 0.7;

/** Pixels across a face before it is enlarged: with more a restorer knows no better than the picture, with less it invents. */
const [least, most] = [24, 256];

/** The faces to restore in the enlarged picture, in pixels of it; by `auto` those that are small, but not too small. */
export async function chooseFaces(
  bench: Workbench,
  { size, factor }: { size: Size; factor: number },
  strength: Strength,
): Promise<FaceChoice> {
  const none = (reason: string, warnings: string[] = []) => ({ faces: [], amount: 0, reason, warnings });
  if (strength === 0) return none('as asked');
  const lack = lackOfFaceModels(bench);
  if (lack !== null) return none(lack);
  const all = restorableFaces(await facesIn(bench, bench.input('image'), size));
  if (strength !== 'auto') {
    const reason = describeFaces(all);
    if (all.length > 0) return { faces: all, amount: strength, reason: `as asked: ${reason}`, warnings: [] };
    return none(reason, [`There is ${reason}: \`face_enhance\` changed nothing`]);
  }
  const faces = all.filter(({ width }) => width >= least * factor && width < most * factor);
  if (faces.length > 0)
    return { faces, amount: usualStrength, reason: `${describeFaces(faces)} once enlarged`, warnings: [] };
  return none(
    all.length > 0 ? `${describeFaces(all)} once enlarged: too large or too small to gain` : describeFaces(all),
  );
}

/** Writes an enlarged picture once more, from top to bottom, with these faces restored. */
export async function writeWithFaces(
  bench: Workbench,
  { enlarged, target, choice }: { enlarged: PixelWriter; target: PixelWriter; choice: FaceChoice },
): Promise<void> {
  const source = await enlarged.read();
  try {
    const change = await restoreFaces(bench, { source, faces: choice.faces, amount: choice.amount });
    for await (const { rows, top } of bands(bench, source)) {
      change(rows, top);
      await target.write(rows);
    }
  } finally {
    await source.close();
  }
}
