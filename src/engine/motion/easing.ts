/** How the time of a shot becomes the progress of its move: both 0..1. */
export type Easing = (time: number) => number;

export const easings = ['ease', 'linear', 'ease-in', 'ease-out'] as const;

/** The usual ways to begin and to end a move. */
export const easingOf = {
  ease: smoothestStep,
  linear: (t) => t,
  'ease-in': (t) => t * t,
  'ease-out': (t) => t * (2 - t),
} satisfies Record<(typeof easings)[number], Easing>;

/** There and back once: the clip ends where, and as fast as, it began. */
export function thereAndBack(time: number): number {
  return 0.5 - 0.5 * Math.cos(2 * Math.PI * time);
}

/** From 0 to 1, beginning and ending without any speed or acceleration (Perlin's smootherstep). */
export function smoothestStep(time: number): number {
  return time * time * time * (time * (6 * time - 15) + 10);
}
