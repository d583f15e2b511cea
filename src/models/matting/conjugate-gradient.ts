/** A symmetric, positive system of equations that is only known by its products. */
export interface LinearSystem {
  /** Writes the product with `vector` into `product`. */
  multiply(vector: Float64Array, product: Float64Array): void;
  /** Of the matrix; must be positive. */
  diagonal: Float64Array;
  right: Float64Array;
}

export interface SolveOptions {
  /** Ends when the residual is this small beside the right side. */
  tolerance: number;
  maxSteps: number;
  /** Called before each step; throws to stop. */
  onStep?(step: number): void;
}

/**
 * Improves `solution` in place by conjugate gradients with the diagonal as preconditioner (Shewchuk 1994, B3); returns the
 * number of steps.
 */
export function solveByConjugateGradients(system: LinearSystem, solution: Float64Array, options: SolveOptions): number {
  const { multiply, diagonal, right } = system;
  const product = new Float64Array(right.length);
  multiply(solution, product);
  const residual = right.map((value, at) => value - (product[at] as number));
  const scaled = residual.map((value, at) => value / (diagonal[at] as number));
  const direction = scaled.slice();
  const enough = options.tolerance ** 2 * dot(right, right);
  let error = dot(residual, scaled);
  for (let step = 0; step < options.maxSteps; step++) {
    if (dot(residual, residual) <= enough) return step;
    options.onStep?.(step);
    multiply(direction, product);
    const length = error / dot(direction, product);
    for (let at = 0; at < residual.length; at++) {
      solution[at] = (solution[at] as number) + length * (direction[at] as number);
      residual[at] = (residual[at] as number) - length * (product[at] as number);
      scaled[at] = (residual[at] as number) / (diagonal[at] as number);
    }
    const next = dot(residual, scaled);
    for (let at = 0; at < direction.length; at++) {
      direction[at] = (scaled[at] as number) + (next / error) * (direction[at] as number);
    }
    error = next;
  }
  return options.maxSteps;
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += (one[at] as number) * (other[at] as number);
  return sum;
}
