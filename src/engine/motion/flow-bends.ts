import type { Plane } from '../media/media.js';
import { type Bends, fadeAt } from './bend.js';
import { type Flow, flowBetween } from './flow.js';
import { lookUp } from './relief.js';
import { type Direction, guessTurn } from './turning.js';

/** The motion from one view to another and back. */
export interface Motion {
  onward: Flow;
  back: Flow;
}

/** The motion between two views (grey, 0..255) of something that turns, which is followed at most `reach` widths far. */
export function motionBetween(
  one: Plane,
  other: Plane,
  { direction, reach }: { direction: Direction; reach: number },
): Motion {
  const opposite = direction === 1 ? -1 : 1;
  return {
    onward: flowBetween(one, other, guessTurn(one, other, { direction, reach })),
    back: flowBetween(other, one, guessTurn(other, one, { direction: opposite, reach })),
  };
}

/**
 * From the motion between two views that between each of them and a moment `share` (0..1) of the way: as if every point
 * went straight on (Jiang et al., "Super SloMo", CVPR 2018, equation 4).
 */
export function flowBends({ onward, back }: Motion, share: number): Bends {
  const [acrossOn, downOn] = [lookUp(onward.across), lookUp(onward.down)];
  const [acrossBack, downBack] = [lookUp(back.across), lookUp(back.down)];
  const fade = fadeAt(share);
  const mixed = (on: number, against: number) => (x: number, y: number) =>
    [on * acrossOn(x, y) + against * acrossBack(x, y), on * downOn(x, y) + against * downBack(x, y), fade] as const;
  return { one: mixed(-(1 - share) * share, share ** 2), next: mixed((1 - share) ** 2, -share * (1 - share)) };
}
