import type { Frame, Size } from '../media/media.js';
import { blend, createFrame } from './frame.js';

/** Something that can be drawn at every moment 0..1 of its shot. */
export interface Scene {
  /** The frame is good until the next one is drawn. */
  draw(time: number): Frame | Promise<Frame>;
}

/** A part of a clip. */
export interface Shot {
  /** Its first frame. */
  from: number;
  /** The frame after its last one; shots that overlap fade into one another. */
  to: number;
  /** Prepares it, when its first frame is near. */
  open(): Promise<Scene>;
}

export interface Film extends Size {
  frames: number;
  shots: readonly Shot[];
  /** The last frame is followed by the first one: no moment is shown twice. */
  isLoop: boolean;
  /** Called before every frame with the share that is done; throws to stop. */
  checkpoint(fraction: number): void;
}

/** As many frames as may be on their way to the encoder, and the one that is being drawn. */
const framesAtOnce = 3;

/** The frames of a clip, one after the other, in memory that is used again for the third one after. */
export async function* filmed(film: Film): AsyncGenerator<Frame> {
  const memory = Array.from({ length: framesAtOnce }, () => createFrame(film));
  const stage = openStage(film);
  for (let index = 0; index < film.frames; index++) {
    film.checkpoint(index / film.frames);
    const frame = memory[index % framesAtOnce] as Frame;
    const [leaving, entering] = showing(film, index);
    if (!leaving) throw new RangeError(`No shot has frame ${index}`);
    frame.data.set((await stage(leaving)).data);
    if (entering) {
      const share = (entering.at + 1) / (leaving.shot.to - leaving.shot.from - leaving.at + entering.at + 1);
      blend(frame, await stage(entering), smooth(share));
    }
    yield frame;
  }
}

/** A shot, and which of its own frames is shown. */
interface Moment {
  shot: Shot;
  at: number;
}

/** The shots that are seen in this frame of the clip, the earlier one first. */
function showing({ shots, frames }: Film, index: number): Moment[] {
  const moments = shots.flatMap((shot) => {
    // A shot that begins before the clip is seen at the end of the clip.
    const at = [index, index - frames].map((place) => place - shot.from);
    return at.filter((place) => place >= 0 && place < shot.to - shot.from).map((place) => ({ shot, at: place }));
  });
  return moments.sort((a, b) => b.at / (b.shot.to - b.shot.from) - a.at / (a.shot.to - a.shot.from)).slice(0, 2);
}

/** Draws moments of shots; holds the scenes of no more than the last two shots. */
function openStage({ isLoop, shots }: Film): (moment: Moment) => Promise<Frame> {
  const scenes = new Map<Shot, Scene>();
  return async ({ shot, at }) => {
    const scene = scenes.get(shot) ?? (await shot.open());
    scenes.delete(shot);
    scenes.set(shot, scene);
    for (const old of [...scenes.keys()].slice(0, -2)) scenes.delete(old);
    const last = shot.to - shot.from - (isLoop && shots.length === 1 ? 0 : 1);
    return scene.draw(last === 0 ? 0 : at / last);
  };
}

function smooth(share: number): number {
  return share * share * (3 - 2 * share);
}
