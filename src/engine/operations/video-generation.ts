import { z } from 'zod';
import { EngineError } from '../errors.js';
import { direct, type Request, storyboard, transitions, wishesOf } from '../motion/direction.js';
import { easingOf, easings } from '../motion/easing.js';
import { filmed } from '../motion/film.js';
import { prepareStage, type Wish } from '../motion/stage.js';
import { frameSize, ratios, resolutions } from '../motion/shape.js';
import {
  type CameraMove,
  cameraAxes,
  type OrderedPicture,
  type PictureRole,
  type VideoOrder,
} from '../routing/order.js';
import { colourForms, parseColour } from '../studio/colour.js';
import type { Operation } from './operation.js';
import { flag, listOf, modelParam, numberBetween, oneNumberOf, oneOf, text, wholeNumberBetween } from './params.js';
import { suitedTo } from './suited-to.js';
import type { Workbench } from './workbench.js';

const mostShots = 6;

const studioColour = '#f4f4f2';

const axisHelp = {
  pan: 'Turns the camera to the right, or with a minus to the left',
  tilt: 'Turns the camera up or, with a minus, down',
  zoom: 'Goes nearer or, with a minus, away',
  truck: 'Moves the camera to the right, or with a minus to the left',
  pedestal: 'Moves the camera up or, with a minus, down',
  roll: 'Rolls the camera clockwise, or with a minus counterclockwise',
} satisfies Record<(typeof cameraAxes)[number], string>;

/** One value for all shots, or one for each. */
function axis(name: keyof typeof axisHelp) {
  const error = 'a number from -10 to 10, or a list with one for each shot';
  return listOf(numberBetween(-10, 10), { most: mostShots, error })
    .optional()
    .describe(`${axisHelp[name]}: -10..10, or one for each shot; default: as the prompt says`);
}

const cameraError = `${cameraAxes.join(', ')} from -10 to 10 each, for all shots or as a list with one for each`;
const strength = z.number({ error: cameraError }).min(-10, { error: cameraError }).max(10, { error: cameraError });
const cameraMove = z.strictObject(
  Object.fromEntries(cameraAxes.map((name) => [name, strength.optional()])) as Record<
    (typeof cameraAxes)[number],
    z.ZodOptional<typeof strength>
  >,
  { error: cameraError },
);

const params = z.object({
  model: modelParam(),
  prompt: text(0, 5000).default('').describe('What happens and how the camera moves'),
  negative_prompt: text(0, 5000).optional().describe('What is not to be seen; default: nothing'),
  duration: wholeNumberBetween(3, 15).default(5).describe('Seconds, 3..15'),
  aspect_ratio: oneOf(ratios).optional().describe('Shape of the frames; default: that of the picture'),
  resolution: oneOf(Object.keys(resolutions) as (keyof typeof resolutions)[])
    .default('720p')
    .describe('Shorter side of the frames'),
  fps: oneNumberOf([24, 30, 60]).default(30).describe('Frames per second'),
  motion: oneOf(['auto', 'camera', 'turntable']).default('auto').describe('What moves; `auto` reads the prompt'),
  scene: oneOf(['auto', 'picture', 'studio'])
    .default('auto')
    .describe('Where: in the picture, or its subject on a studio floor; `auto` reads the prompt'),
  bg_color: z
    .string({ error: colourForms })
    .refine((value) => parseColour(value)?.[3] === 255, colourForms)
    .default(studioColour)
    .describe('Colour of the studio'),
  camera: listOf(cameraMove, { most: mostShots, error: cameraError })
    .optional()
    .describe(
      'Camera moves as JSON, such as {"zoom": 4, "truck": -2}, or a list with one for each shot; default: as the prompt says',
    ),
  pan: axis('pan'),
  tilt: axis('tilt'),
  zoom: axis('zoom'),
  truck: axis('truck'),
  pedestal: axis('pedestal'),
  roll: axis('roll'),
  easing: oneOf(easings).default('ease').describe('How moves begin and end'),
  multi_shot_prompts: listOf(text(1, 512), {
    most: mostShots - 1,
    error: `up to ${mostShots - 1} texts of 1 to 512 characters`,
  })
    .optional()
    .describe('Prompts of the shots after the first, which is `prompt`; default: there is one shot'),
  ai_director_mode: flag().default(false).describe('Divides the clip into shots by itself'),
  transition: oneOf(transitions).default('cut').describe('From shot to shot'),
  loop: flag().default(false).describe('The end goes over into the beginning'),
  failover: flag().default(true).describe('Whether another backend may take the job when the first one fails'),
  sound: flag().default(false).describe('With sound, where the model can make it'),
  cfg_scale: numberBetween(0, 1)
    .optional()
    .describe('How closely to keep to the prompt, for moves on this machine how far they go; default: 0.5'),
  camera_angle: text(1, 200)
    .optional()
    .describe('isometric, low-angle, bird-eye or in other words; default: that of the picture'),
  format: oneOf(['mp4']).default('mp4').describe('Format of the result'),
  seed: wholeNumberBetween(0, 2 ** 32 - 1)
    .optional()
    .describe('For models that draw lots; default: another one each time'),
});

type Params = z.output<typeof params>;

/** Makes a clip. On this machine: a camera that moves through a picture, or a product that turns. */
export const videoGeneration: Operation<Params> = {
  name: 'video-generation',
  type: 'VIDEO_GENERATION',
  command: 'video',
  idPrefix: 'vgen',
  batch: { idPrefix: 'video_batch', jobIdPrefix: 'vid', max: 20 },
  syncPaths: [],
  lane: 'media',
  pictures: [
    { field: 'image' },
    { field: 'character_reference' },
    { field: 'character_references', max: 3 },
    { field: 'style_reference' },
    { field: 'views', max: 36 },
  ],
  summary: 'Makes a clip from a picture: camera moves, turntables, several shots',
  params,
  models: () => [
    { task: 'background-removal', wanted: 'auto', misfit: suitedTo('photograph'), optional: true },
    { task: 'depth-estimation', wanted: 'auto', optional: true },
  ],
  order: (given, inputs) => orderOf(given, inputs),
  local: [
    {
      model: 'local-motion-i2v',
      names: ['local-motion'],
      capabilities: {
        input: ['image'],
        duration: { min: 3, max: 15 },
        resolution: Object.keys(resolutions),
        aspect_ratio: ratios,
        multi_shot_prompts: { min: 2, max: mostShots },
        ai_director_mode: [true],
        sound: [true],
        references: { min: 1, max: 4 },
      },
      isLastResort: true,
    },
  ],
  async perform(bench, given) {
    const views = [...bench.inputs('image'), ...bench.inputs('views')];
    const [path] = views;
    if (path === undefined) throw pictureMissing();
    bench.checkpoint('decode');
    const picture = await bench.images.facts(path, 'image');
    const size = frameSize(given.resolution, given.aspect_ratio ?? null, picture);
    const frames = given.duration * given.fps;
    const request = requestOf(given, frames);
    const wish = wishOf(given, request, { path, views, picture, frame: size });
    const stage = await prepareStage(bench, wish);
    const shots = direct({ ...request, isCalm: wish.turns || wish.studio }).map((shot) => ({
      ...shot,
      open: () => stage.open(shot),
    }));
    const film = { ...size, frames, shots, isLoop: request.isLoop, checkpoint: renderCheckpoint(bench) };
    const output = await bench.clips.encode(filmed(film), { ...size, fps: given.fps, frames });
    const facts = { ...size, fps: given.fps, frames, duration: given.duration, shots: shots.length, scene: stage.kind };
    const warnings = [...warningsOf(bench, given), ...stage.warnings];
    return { outputs: [output], warnings, facts, modelActual: 'local-motion-i2v' };
  },
};

function wishOf(
  given: Params,
  { prompts, isLoop, frames, strength }: Omit<Request, 'isCalm'>,
  picture: Pick<Wish, 'path' | 'views' | 'picture' | 'frame'>,
): Wish {
  const { turns, studio } = wishesOf(prompts);
  return {
    ...picture,
    turns: given.motion === 'turntable' || (given.motion === 'auto' && (turns || picture.views.length > 1)),
    studio: given.scene === 'studio' || (given.scene === 'auto' && studio),
    colour: parseColour(given.bg_color) ?? [255, 255, 255, 255],
    isLoop,
    frames,
    strength,
  };
}

function renderCheckpoint(bench: Workbench) {
  return (fraction: number) => bench.checkpoint('render', fraction);
}

function pictureMissing(): EngineError {
  const message =
    'A clip from text alone needs a backend that makes pictures or clips, and none is configured; send `image_url`';
  return new EngineError('provider_unavailable', message, { param: 'image' });
}

/** The prompts of all shots, the main one first. */
function promptsOf({
  prompt,
  multi_shot_prompts: others = [],
  ai_director_mode: isDirected,
  duration,
}: Params): string[] {
  const prompts = [prompt, ...others].filter((each, index) => each !== '' || (index === 0 && others.length === 0));
  return isDirected && others.length === 0 ? storyboard(prompt, duration) : prompts;
}

function requestOf(given: Params, frames: number): Omit<Request, 'isCalm'> {
  const prompts = promptsOf(given);
  return {
    prompts,
    cameras: prompts.map((_, shot) => moveOf(given, shot)),
    transition: given.transition,
    easing: easingOf[given.easing],
    strength: given.cfg_scale ?? 0.5,
    frames,
    fps: given.fps,
    isLoop: given.loop || wishesOf(prompts).loops,
  };
}

/** The camera move of a shot where it is given in numbers: one for all shots, or one for each. */
function moveOf(given: Params, shot: number): CameraMove | undefined {
  const pick = <Value>(values: readonly Value[] | undefined) => (values?.length === 1 ? values[0] : values?.[shot]);
  const move: CameraMove = {};
  for (const name of cameraAxes) {
    const value = pick(given[name]) ?? pick(given.camera)?.[name];
    if (value !== undefined) move[name] = value;
  }
  return Object.keys(move).length > 0 ? move : undefined;
}

/** What is not as it is by default and has no word in the order. */
function localOnlyOf(given: Params, inputs: readonly { field: string }[]): string[] {
  const { fps, motion, scene, easing, transition, loop, bg_color } = given;
  const asked = { fps: fps !== 30, motion: motion !== 'auto', scene: scene !== 'auto', easing: easing !== 'ease' };
  const more = {
    transition: transition !== 'cut',
    loop,
    bg_color: bg_color !== studioColour,
    views: inputs.some(({ field }) => field === 'views'),
  };
  return Object.entries({ ...asked, ...more }).flatMap(([name, isAsked]) => (isAsked ? [name] : []));
}

function orderOf(given: Params, inputs: readonly { field: string }[]): VideoOrder {
  const others = given.multi_shot_prompts ?? [];
  return {
    kind: 'video',
    prompt: [given.prompt, given.camera_angle && `Camera angle: ${given.camera_angle}`].filter(Boolean).join('. '),
    negativePrompt: given.negative_prompt ?? null,
    duration: given.duration,
    ratio: given.aspect_ratio ?? null,
    resolution: given.resolution,
    shots: others.length === 0 ? [] : promptsOf(given),
    isDirected: given.ai_director_mode,
    sound: given.sound,
    camera: moveOf(given, 0) ?? null,
    seed: given.seed ?? null,
    cfgScale: given.cfg_scale ?? null,
    localOnly: localOnlyOf(given, inputs),
    pictures: inputs.flatMap(({ field }, input): OrderedPicture[] => {
      const role = roles[field];
      return role ? [{ role, input }] : [];
    }),
  };
}

const roles: Record<string, PictureRole | undefined> = {
  image: 'first-frame',
  character_reference: 'reference',
  character_references: 'reference',
  style_reference: 'style',
};

/** What a camera on this machine can't do. */
function warningsOf(bench: Workbench, given: Params): string[] {
  const warnings: string[] = [];
  const ignore = (name: string, why: string) => warnings.push(`\`${name}\` was not used: ${why}`);
  if (given.sound) ignore('sound', 'clips made on this machine are silent');
  if (given.negative_prompt) ignore('negative_prompt', 'a clip made on this machine shows what the picture shows');
  if (given.camera_angle) ignore('camera_angle', 'the picture was taken from its own');
  for (const field of ['character_reference', 'character_references', 'style_reference']) {
    if (bench.inputs(field).length > 0) ignore(field, 'a clip made on this machine shows what the picture shows');
  }
  return warnings;
}
