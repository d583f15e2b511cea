// Orthonormal, so that noise of one deviation in all three colours is the same in all three of these, and goes back the
// way it came.
const [third, half, sixth] = [Math.sqrt(1 / 3), Math.sqrt(1 / 2), Math.sqrt(1 / 6)];

/** Brightness and two differences of colours: each row weighs red, green and blue. */
export const opponentColours = [
  [third, third, third],
  [half, 0, -half],
  [sixth, -2 * sixth, sixth],
] as const;

/** One of the opponent colours of the red, green and blue at `at`. */
export function toOpponent(index: number, colours: ArrayLike<number>, at: number): number {
  const [red, green, blue] = opponentColours[index] as readonly [number, number, number];
  return red * (colours[at] as number) + green * (colours[at + 1] as number) + blue * (colours[at + 2] as number);
}

/** Red (0), green (1) or blue (2) of three opponent colours. */
export function fromOpponents(colour: number, opponents: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < 3; index++) {
    const weights = opponentColours[index] as readonly [number, number, number];
    sum += (weights[colour] as number) * (opponents[index] as number);
  }
  return sum;
}
