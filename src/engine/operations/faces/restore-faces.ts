import { alignFace } from '../../../models/faces/face-alignment.js';
import { cropFace } from '../../../models/faces/face-crop.js';
import { type FacePatch, patchFace } from '../../../models/faces/face-patch.js';
import { mendFaults } from '../../../models/tiling/faults.js';
import type { Face, FaceRestoreModel } from '../../../models/model.js';
import type { Pixels } from '../../media/media.js';
import type { PixelReader, Workbench } from '../workbench.js';

/** Pixels across a face, in the picture that it is restored in, below which nothing of it is left to go by. */
const leastWidth = 24;

/** More are those of a crowd, which nobody looks at one by one; each takes up to three megabytes meanwhile. */
const mostFaces = 64;

/** The faces that a restorer can do something with: seen from the front, not too small, the largest ones of a crowd. */
export function restorableFaces(faces: readonly Face[]): Face[] {
  return faces.filter((face) => face.width >= leastWidth && alignFace(face, 1) !== null).slice(0, mostFaces);
}

/** Changes rows of a picture that begin at `top`, in place. */
export type RowChange = (rows: Pixels, top: number) => void;

/** Restores these faces of a picture, in pixels of it; what comes back puts `amount` (0..1) of the difference into its rows. */
export async function restoreFaces(
  bench: Workbench,
  { source, faces, amount }: { source: PixelReader; faces: readonly Face[]; amount: number },
): Promise<RowChange> {
  const patches: FacePatch[] = [];
  for (const [index, face] of faces.entries()) {
    bench.checkpoint('infer', index / faces.length);
    const model = await steadyModel(bench);
    const alignment = alignFace(face, model.size);
    if (!alignment) continue;
    const crop = await cropFace(source, alignment, model.size);
    patches.push(await patchFace(crop, model, { alignment, picture: source }));
  }
  return (rows, top) => {
    for (const patch of patches) patch.apply(rows, top, amount);
  };
}

/** The restorer, whose faults on some devices are made good by the CPU. */
async function steadyModel(bench: Workbench): Promise<FaceRestoreModel> {
  const model = await bench.model('face-restoration');
  const asUpscaler = ({ id, restore }: FaceRestoreModel) => ({ id, scale: 1, overlap: 0, upscale: restore });
  const { upscale } = mendFaults(asUpscaler(model), async () => {
    const other = await bench.onCpu('face-restoration');
    return other && asUpscaler(other);
  });
  return { ...model, restore: upscale };
}

/** How many faces there are and how large the largest is, for reasons: `2 faces, the largest 180 pixels wide`. */
export function describeFaces(faces: readonly Face[]): string {
  const [largest] = faces;
  if (!largest) return 'no face that can be restored';
  const width = `${Math.round(largest.width)} pixels wide`;
  return faces.length === 1 ? `a face ${width}` : `${faces.length} faces, the largest ${width}`;
}
