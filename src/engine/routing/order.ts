/**
 * What is to be made, in words that belong to no service: an operation derives it from its params, every provider
 * translates it into its own.
 */
export type Order = VideoOrder | ImageOrder;

/** What a picture of the request is for. */
export type PictureRole = 'first-frame' | 'last-frame' | 'reference' | 'style' | 'source' | 'mask';

/** A picture of the request: `input` is its place among the inputs of the job. */
export interface OrderedPicture {
  role: PictureRole;
  input: number;
}

export const cameraAxes = ['pan', 'tilt', 'zoom', 'truck', 'pedestal', 'roll'] as const;
/** How far the camera moves along each axis, -10..10. */
export type CameraMove = Partial<Record<(typeof cameraAxes)[number], number>>;

export interface VideoOrder {
  kind: 'video';
  prompt: string;
  negativePrompt: string | null;
  /** Whole seconds. */
  duration: number;
  /** `16:9` and the like; null: that of the first frame, if there is one. */
  ratio: string | null;
  /** `480p`, `720p` or `1080p`. */
  resolution: string;
  /** One prompt for each shot, the main one first; empty: there is one shot. */
  shots: string[];
  /** Whether the service is to divide the prompt into shots itself. */
  isDirected: boolean;
  sound: boolean;
  camera: CameraMove | null;
  seed: number | null;
  /** 0..1: how closely to keep to the prompt. */
  cfgScale: number | null;
  /** Params that were asked for and that only this machine knows. */
  localOnly: string[];
  pictures: OrderedPicture[];
}

export interface ImageOrder {
  kind: 'image';
  prompt: string;
  negativePrompt: string | null;
  /** Null: the service chooses, or that of the source. */
  size: { width: number; height: number } | null;
  count: number;
  quality: 'standard' | 'hd' | null;
  isTransparent: boolean;
  format: 'png' | 'jpg' | 'webp';
  seed: number | null;
  pictures: OrderedPicture[];
}

export type NeedValue = string | number | boolean;

/** What a backend must be able to do for an order, by the names of the request's params; what is not asked for is not in it. */
export type Needs = Readonly<Record<string, NeedValue>>;

/** Needs for which a backend that does not mention them has the limit of another: of all clips instead of those of several shots. */
export const widerNeeds: Readonly<Record<string, string>> = { multi_shot_duration: 'duration' };

/** What an order asks of whoever takes it. */
export function needsOf(order: Order): Needs {
  const common = { input: inputKind(order), ...counted('references', order, ['reference']) };
  if (order.kind === 'image') {
    const { size, count, isTransparent } = order;
    return {
      ...common,
      ...(size && { size: `${size.width}x${size.height}` }),
      ...(count > 1 && { n: count }),
      ...(isTransparent && { background: 'transparent' }),
    };
  }
  const { duration, ratio, resolution, shots, isDirected, sound } = order;
  return {
    ...common,
    duration,
    resolution,
    ...(ratio !== null && { aspect_ratio: ratio }),
    ...(shots.length > 1 && { multi_shot_prompts: shots.length }),
    ...(isDirected && { ai_director_mode: true }),
    ...((shots.length > 1 || isDirected) && { multi_shot_duration: duration }),
    ...(sound && { sound: true }),
    ...counted('last_frame', order, ['last-frame']),
  };
}

/**
 * What was asked for and a backend may pass over, by its param: it is then said in a warning rather than being a reason
 * to choose another backend.
 */
export function extrasOf(order: Order): string[] {
  const asked: Record<string, boolean> = {
    negative_prompt: order.negativePrompt !== null,
    seed: order.seed !== null,
    style_reference_url: order.pictures.some(({ role }) => role === 'style'),
  };
  if (order.kind === 'image') return present({ ...asked, quality: order.quality !== null });
  return present({
    ...asked,
    cfg_scale: order.cfgScale !== null,
    ...Object.fromEntries(cameraAxes.map((axis) => [axis, Boolean(order.camera?.[axis])])),
    ...Object.fromEntries(order.localOnly.map((name) => [name, true])),
  });
}

function present(asked: Record<string, boolean>): string[] {
  return Object.keys(asked).filter((name) => asked[name]);
}

/** `text`, `image` (a picture to start from) or `mask` (and where to change it). */
function inputKind({ pictures }: Order): string {
  const has = (role: PictureRole) => pictures.some((picture) => picture.role === role);
  if (has('mask')) return 'mask';
  return has('first-frame') || has('source') ? 'image' : 'text';
}

function counted(name: string, { pictures }: Order, roles: PictureRole[]): Record<string, number> {
  const count = pictures.filter(({ role }) => roles.includes(role)).length;
  return count === 0 ? {} : { [name]: count };
}
