import { findFaces, searchSide } from '../../../models/faces/face-finder.js';
import type { Face, Point } from '../../../models/model.js';
import type { Size } from '../../media/media.js';
import { within } from '../picture-rows.js';
import type { Workbench } from '../workbench.js';

/** The faces in the picture at `path`, the largest first, in pixels of `full`, a size of the same picture. */
export async function facesIn(bench: Workbench, path: string, full: Size): Promise<Face[]> {
  bench.checkpoint('decode');
  const size = within(await bench.images.facts(path, 'image'), searchSide);
  const picture = await bench.images.decode(path, { size, channels: 3 });
  bench.checkpoint('infer');
  const model = await bench.model('face-detection');
  const faces = await findFaces(model, picture, (fraction) => bench.checkpoint('infer', fraction));
  const across = full.width / size.width;
  const down = full.height / size.height;
  return faces
    .map((face) => stretched(face, across, down))
    .sort((one, other) => other.width * other.height - one.width * one.height);
}

function stretched(face: Face, across: number, down: number): Face {
  const point = ({ x, y }: Point): Point => ({ x: x * across, y: y * down });
  const [first, second, third, fourth, fifth] = face.landmarks;
  return {
    left: face.left * across,
    top: face.top * down,
    width: face.width * across,
    height: face.height * down,
    score: face.score,
    landmarks: [point(first), point(second), point(third), point(fourth), point(fifth)],
  };
}
