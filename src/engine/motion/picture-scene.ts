import type { Pixels, Size } from '../media/media.js';
import type { Scene } from './film.js';
import { Canvas } from './canvas.js';
import { anchored, type Framing, type Focus, frameShot } from './framing.js';
import { drawLevels, type Level, levelOf, levelWidths } from './levels.js';
import { createMesh, fillMesh, type PlaceOf } from './mesh.js';
import { distance, eyeOf, meet, type Path, type Pose, rayOf } from './pose.js';
import { type Relief, reliefReach } from './relief.js';

export interface PictureSceneOptions {
  picture: Size;
  frame: Size;
  path: Path;
  focus: Focus;
  /** Null: the picture is flat. */
  relief: Relief | null;
  /** The picture at this size, opaque. */
  decode(size: Size): Promise<Pixels>;
}

/**
 * Pixels between two places of the mesh. A plane seen straight on is straight everywhere; seen at an angle it bends so little
 * that 16 are exact to a hundredth of a pixel.
 */
const steps = { straight: 128, angled: 16, relief: 8 };

/** A picture is decoded to no more pixels than this, which is enough for 1080p twice as near; each takes six bytes. */
const mostPixels = 9_000_000;

const moments = 32;

/** A camera that moves in front of a picture, or inside of it where its depth is known. */
export async function openPictureScene(options: PictureSceneOptions): Promise<Scene> {
  const { picture, frame, path, focus, relief } = options;
  const framing = frameShot(path, { picture, frame, focus, shift: relief ? reliefReach : 0 });
  const mostAcross = Math.min(Math.sqrt((mostPixels * picture.width) / picture.height), 16_000);
  const acrossAt = (zoom: number) => Math.min((frame.width / framing.width) * zoom, mostAcross);
  const canvas = new Canvas(frame);
  const levels = await openLevels(options, { canvas, acrossAt });
  const poses = momentsOf(path);
  const isAngled = poses.some(({ yaw, pitch }) => yaw !== 0 || pitch !== 0);
  const mesh = createMesh(frame, steps[relief ? 'relief' : isAngled ? 'angled' : 'straight']);
  return {
    draw(time) {
      const pose = anchored(path(time), framing.anchor);
      fillMesh(mesh, pictureView(pose, { picture, frame, framing, relief }));
      drawLevels(levels, canvas, { mesh, width: acrossAt(pose.zoom) });
      return canvas.frame;
    },
  };
}

async function openLevels(
  { picture, path, decode }: PictureSceneOptions,
  { canvas, acrossAt }: { canvas: Canvas; acrossAt: (zoom: number) => number },
): Promise<Level[]> {
  const zooms = momentsOf(path).map(({ zoom }) => zoom);
  const levels: Level[] = [];
  for (const width of levelWidths(acrossAt(Math.min(...zooms)), acrossAt(Math.max(...zooms)))) {
    const height = Math.max(1, Math.round((width * picture.height) / picture.width));
    levels.push(levelOf(await decode({ width, height }), canvas));
  }
  return levels;
}

/** The poses of a path, close enough together. */
function momentsOf(path: Path): Pose[] {
  return Array.from({ length: moments + 1 }, (_, moment) => path(moment / moments));
}

interface Viewing {
  picture: Size;
  frame: Size;
  framing: Framing;
  relief: Relief | null;
}

/** Where in the picture a camera of this pose sees each pixel of the frame. */
export function pictureView(pose: Pose, { picture, frame, framing, relief }: Viewing): PlaceOf {
  const [eye, ray] = [eyeOf(pose), rayOf(pose)];
  const tall = picture.height / picture.width;
  return (x, y, place) => {
    const direction = ray(x / frame.width - 0.5, (y - frame.height / 2) / frame.width);
    let [across, down] = meet(eye, direction, distance);
    if (relief) {
      // The ray meets the relief where its own depth says so: four rounds settle that to a hundredth of a pixel.
      for (let round = 0; round < 4; round++) {
        const depth = relief(framing.x + across * framing.width, (framing.y + down * framing.width) / tall);
        [across, down] = meet(eye, direction, distance * depth);
        across /= depth;
        down /= depth;
      }
    }
    place[0] = framing.x + across * framing.width;
    place[1] = (framing.y + down * framing.width) / tall;
  };
}
