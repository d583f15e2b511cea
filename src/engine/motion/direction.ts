import type { CameraMove } from '../routing/order.js';
import { type Easing, thereAndBack } from './easing.js';
import { between, endsOf, type Path, type Pose } from './pose.js';
import { readWording, scaled, type Wording } from './wording.js';

export const transitions = ['cut', 'crossfade', 'continuous'] as const;
export type Transition = (typeof transitions)[number];

/** What was asked for, whoever said it: the prompts of the shots and the moves given as numbers. */
export interface Request {
  /** One for each shot, at least one. */
  prompts: readonly string[];
  /** By shot, where given: these overrule the words. */
  cameras: readonly (CameraMove | undefined)[];
  transition: Transition;
  easing: Easing;
  /** 0..1, 0.5 is usual: how far moves go that come from words. */
  strength: number;
  frames: number;
  fps: number;
  isLoop: boolean;
  /** Something else moves: a camera that nobody speaks of hardly does. */
  isCalm: boolean;
}

/** A shot of a clip: its frames, and how the camera moves during them. */
export interface ShotPlan {
  /** Below 0 when the shot already shows at the end of a loop. */
  from: number;
  /** The frame after its last one. */
  to: number;
  path: Path;
}

/** A move for a shot whose words name none; one after the other, so that shots differ. */
const defaults: CameraMove[] = [{ zoom: 3 }, { truck: 3 }, { zoom: -3 }, { pedestal: -3 }];

/** How much nearer a close-up is. */
const closeUp = 1.7;

/** How long two shots are seen at once, and at most which part of a shot. */
const fadeSeconds = 0.5;
const mostFade = 1 / 3;

/** The shots of a clip, together exactly as long as it is. */
export function direct(request: Request): ShotPlan[] {
  const { prompts, cameras, transition, frames } = request;
  const isSingle = prompts.length === 1;
  const moves = prompts.map((prompt, index) => moveOf(prompt, { index, given: cameras[index], request }));
  if (transition === 'continuous' && !isSingle) {
    return [{ from: 0, to: frames, path: continuous(moves, request.isLoop) }];
  }
  const paths = moves.map(({ from, to }) => pathOf({ from, to }, request, isSingle));
  return divided(paths, request);
}

/** The prompts of a director that was given none for its shots: the sentences of the whole one, or looks at the same thing. */
export function storyboard(prompt: string, seconds: number): string[] {
  const sentences = prompt.split(/(?<=[.!?;])\s+/).filter((sentence) => /\w/.test(sentence));
  const most = Math.max(2, Math.min(6, Math.floor(seconds / 2)));
  if (sentences.length > 1) return sentences.slice(0, most);
  const looks = [
    'wide shot, slow push in',
    'close-up, the camera slides right',
    'slow pull back',
    'close-up, camera rises',
  ];
  return looks.slice(0, Math.min(most, Math.max(2, Math.round(seconds / 3)))).map((look) => `${prompt} ${look}`);
}

interface Move {
  from: Pose;
  to: Pose;
}

function moveOf(
  prompt: string,
  { index, given, request }: { index: number; given: CameraMove | undefined; request: Request },
): Move {
  const { camera, framing } = readWording(prompt);
  const usual = scaled(defaults[index % defaults.length] ?? {}, request.isCalm ? 0.3 : 1);
  const words = camera ?? usual;
  const { from, to } = endsOf(given ?? scaled(words, 2 * request.strength));
  return framing === 'close' ? { from: nearer(from), to: nearer(to) } : { from, to };
}

function nearer(pose: Pose): Pose {
  const zoom = pose.zoom * closeUp;
  return {
    ...pose,
    zoom,
    x: pose.x / closeUp,
    y: pose.y / closeUp,
    yaw: pose.yaw / closeUp,
    pitch: pose.pitch / closeUp,
  };
}

function pathOf({ from, to }: Move, { easing, isLoop }: Request, isSingle: boolean): Path {
  const progress = isLoop && isSingle ? thereAndBack : easing;
  return (time) => between(from, to, progress(time));
}

/** One move through all shots without a stop: the end of each is the beginning of the next. */
function continuous(moves: readonly Move[], isLoop: boolean): Path {
  const poses: Pose[] = [];
  for (const { from, to } of moves) {
    const start = poses.at(-1);
    if (!start) poses.push(from, to);
    else poses.push(onward(start, { from, to }));
  }
  const [first] = poses as [Pose];
  if (isLoop) poses.push(first);
  return (time) => along(poses, time, isLoop);
}

/** What a move does, begun at another pose. */
function onward(start: Pose, { from, to }: Move): Pose {
  return {
    x: start.x + to.x - from.x,
    y: start.y + to.y - from.y,
    zoom: Math.max(1, (start.zoom * to.zoom) / from.zoom),
    yaw: start.yaw + to.yaw - from.yaw,
    pitch: start.pitch + to.pitch - from.pitch,
    roll: start.roll + to.roll - from.roll,
  };
}

/** Through poses at even times, smoothly (Catmull-Rom); at rest at both ends, or as it began if it is a loop. */
function along(poses: readonly Pose[], time: number, isLoop: boolean): Pose {
  const last = poses.length - 1;
  const segment = Math.min(Math.floor(time * last), last - 1);
  const share = time * last - segment;
  const at = (index: number) => {
    const wrapped = isLoop ? (index + last) % last : Math.min(Math.max(index, 0), last);
    return poses[wrapped] as Pose;
  };
  const [a, b, c, d] = [at(segment - 1), at(segment), at(segment + 1), at(segment + 2)];
  const spline = (key: keyof Pose) => {
    const enter = segment === 0 && !isLoop ? 0 : (c[key] - a[key]) / 2;
    const leave = segment === last - 1 && !isLoop ? 0 : (d[key] - b[key]) / 2;
    const [s, t] = [share * share, share * share * share];
    return b[key] * (2 * t - 3 * s + 1) + enter * (t - 2 * s + share) + c[key] * (3 * s - 2 * t) + leave * (t - s);
  };
  const zoom = Math.max(1, spline('zoom'));
  return { x: spline('x'), y: spline('y'), zoom, yaw: spline('yaw'), pitch: spline('pitch'), roll: spline('roll') };
}

/** Shots of nearly the same length; in a crossfade each begins before the one before it has ended. */
function divided(paths: readonly Path[], { transition, frames, fps, isLoop }: Request): ShotPlan[] {
  const length = frames / paths.length;
  const fade = transition === 'crossfade' ? Math.round(Math.min(fadeSeconds * fps, length * mostFade)) : 0;
  return paths.map((path, index) => {
    const overlap = index > 0 || (isLoop && paths.length > 1) ? fade : 0;
    return { from: Math.round(index * length) - overlap, to: Math.round((index + 1) * length), path };
  });
}

/** What the words of all prompts together ask for besides camera moves. */
export function wishesOf(prompts: readonly string[]): Pick<Wording, 'turns' | 'studio' | 'loops'> {
  return readWording(prompts.join('. '));
}
