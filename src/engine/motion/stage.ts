import type { ImageFacts, Plane, Size } from '../media/media.js';
import type { Workbench } from '../operations/workbench.js';
import type { Rgba } from '../studio/colour.js';
import { type Body, bodyOf } from './body.js';
import { bulgeOf } from './bulge.js';
import type { ShotPlan } from './direction.js';
import { smoothestStep } from './easing.js';
import type { Scene } from './film.js';
import { openPictureScene } from './picture-scene.js';
import { reliefOf } from './relief.js';
import { spinStage } from './spin-stage.js';
import { bodySize, openStudioScene } from './studio-scene.js';
import { findSubject, type Subject } from './subject.js';

/** What is to be filmed. */
export interface Wish {
  /** Local path of the picture. */
  path: string;
  /** Local paths of pictures of the same thing from all around, in order; fewer than two are none. */
  views: readonly string[];
  picture: ImageFacts;
  frame: Size;
  /** The subject turns. */
  turns: boolean;
  /** The subject stands on a studio floor, which a turning one does in any case. */
  studio: boolean;
  colour: Rgba;
  isLoop: boolean;
  frames: number;
  /** 0..1, 0.5 is usual: how far it turns. */
  strength: number;
}

/** Something that shots are filmed of. */
export interface Stage {
  open(shot: ShotPlan): Promise<Scene>;
  /** As shown in the debug block. */
  kind: 'picture' | 'relief' | 'studio' | 'turntable' | 'spin';
  warnings: string[];
}

/** How far a body turns to each side whose back nobody has seen: radians, at usual strength. */
const usualTurn = (25 * Math.PI) / 180;
const mostTurn = (35 * Math.PI) / 180;

/** Prepares what a wish needs: its subject, its depth, a body on a floor. */
export async function prepareStage(bench: Workbench, wish: Wish): Promise<Stage> {
  const { path, picture, frame } = wish;
  if (wish.turns && wish.views.length > 1) return spinStage(bench, wish);
  const subject = await findSubject(bench, path, picture);
  const nearness = await findNearness(bench, path, picture);
  if (wish.turns || wish.studio) {
    const body = subject && (await cutFree(subject, picture, frame));
    if (body) return studioStage(wish, { body, nearness });
  }
  const focus = subject?.focus ?? { x: 0.5, y: 0.5 };
  const relief = nearness && reliefOf(nearness, focus);
  const decode = (size: Size) => bench.images.decode(path, { size, channels: 3 });
  return {
    kind: relief ? 'relief' : 'picture',
    warnings:
      wish.turns || wish.studio
        ? ['No subject was found to set on a studio floor: the camera moves through the picture']
        : [],
    open: (shot) => openPictureScene({ picture, frame, path: shot.path, focus, relief, decode }),
  };
}

function studioStage(
  { frame, turns, colour, isLoop, frames, strength }: Wish,
  { body, nearness }: { body: Body; nearness: Plane | null },
): Stage {
  const bulge = bulgeOf(body, nearness);
  const reach = turns ? Math.min(2 * strength * usualTurn, mostTurn) : 0;
  const turnAt = (moment: number) => reach * (isLoop ? Math.sin(2 * Math.PI * moment) : 2 * smoothestStep(moment) - 1);
  return {
    kind: turns ? 'turntable' : 'studio',
    warnings: [],
    open: async ({ from, to, path }) =>
      openStudioScene({
        frame,
        path,
        body,
        bulge,
        colour,
        turn: (time) => turnAt((from + time * (to - from)) / frames),
      }),
  };
}

/** The subject alone, with about a sample for each pixel of the frame; null if nothing of it can be seen. */
async function cutFree(subject: Subject, picture: Size, frame: Size): Promise<Body | null> {
  const factor = Math.min(1, lookSide / Math.max(picture.width, picture.height));
  const small = { width: Math.ceil(picture.width * factor), height: Math.ceil(picture.height * factor) };
  const look = bodyOf(await subject.cutOut(small));
  if (!look) return null;
  const { left, right, top, bottom } = look.box;
  const share = { width: (right - left) / small.width, height: (bottom - top) / small.height };
  return bodyOf(await subject.cutOut(bodySize(picture, share, frame)));
}

/** Longer side of the picture on which the subject is looked for. */
const lookSide = 320;

/** How near every place of the picture is, where a model that tells is there. */
async function findNearness(bench: Workbench, path: string, picture: Size): Promise<Plane | null> {
  if (!bench.has('depth-estimation')) return null;
  const model = await bench.model('depth-estimation');
  const small = await bench.images.decode(path, { size: model.inputSize(picture), channels: 3 });
  bench.checkpoint('infer');
  const nearness = await model.predict(small);
  bench.checkpoint('compose');
  return nearness;
}
