/** Side of a patch. */
const side = 8;
const patch = side ** 2;

/** What the transform, done twice, has multiplied a stack by: the number of its samples. */
export const hadamardGain = 16 * patch;

/**
 * The Walsh-Hadamard transform of a stack of 16 patches of 8 × 8 samples, in place and along all three axes. Sums and
 * differences are all it takes, and it is its own inverse but for `hadamardGain`.
 */
export function hadamardStack(stack: Float64Array): void {
  const half = hadamardGain / 2;
  for (let at = 0; at < hadamardGain; at += side) transformEight(stack, at, 1);
  for (let from = 0; from < hadamardGain; from += patch) {
    for (let at = from; at < from + side; at++) transformEight(stack, at, side);
  }
  for (let at = 0; at < patch; at++) {
    transformEight(stack, at, patch);
    transformEight(stack, half + at, patch);
  }
  for (let at = 0; at < half; at++) {
    const [first, second] = [stack[at] as number, stack[half + at] as number];
    stack[at] = first + second;
    stack[half + at] = first - second;
  }
}

/** Eight samples, `step` apart: three rounds of butterflies. No arrays here: this is where most of the time goes. */
function transformEight(data: Float64Array, i0: number, step: number): void {
  const i1 = i0 + step;
  const i2 = i1 + step;
  const i3 = i2 + step;
  const i4 = i3 + step;
  const i5 = i4 + step;
  const i6 = i5 + step;
  const i7 = i6 + step;
  const a0 = (data[i0] as number) + (data[i4] as number);
  const a1 = (data[i1] as number) + (data[i5] as number);
  const a2 = (data[i2] as number) + (data[i6] as number);
  const a3 = (data[i3] as number) + (data[i7] as number);
  const a4 = (data[i0] as number) - (data[i4] as number);
  const a5 = (data[i1] as number) - (data[i5] as number);
  const a6 = (data[i2] as number) - (data[i6] as number);
  const a7 = (data[i3] as number) - (data[i7] as number);
  data[i0] = a0 + a2 + (a1 + a3);
  data[i1] = a0 + a2 - (a1 + a3);
  data[i2] = a0 - a2 + (a1 - a3);
  data[i3] = a0 - a2 - (a1 - a3);
  data[i4] = a4 + a6 + (a5 + a7);
  data[i5] = a4 + a6 - (a5 + a7);
  data[i6] = a4 - a6 + (a5 - a7);
  data[i7] = a4 - a6 - (a5 - a7);
}
