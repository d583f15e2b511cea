import { z } from 'zod';
import { EngineError } from '../errors.js';
import { outputFormats } from '../media/media.js';
import type { Operation, Outcome, Step } from './operation.js';
import { json, oneOf } from './params.js';

/** More would be a mistake rather than a plan. */
const mostSteps = 8;

const step = z.looseObject({ operation: z.string({ error: 'the name of an operation in `operation`' }) });

const params = z.object({
  steps: json(
    z
      .array(step, { error: `a list of 1 to ${mostSteps} steps such as [{"operation":"background-removal"}]` })
      .min(1, { error: 'at least one step' })
      .max(mostSteps, { error: `at most ${mostSteps} steps` }),
  ).describe(
    'What to do, one after the other: each an object with `operation` and the params of that operation; no default',
  ),
  format: oneOf(outputFormats).optional().describe('Format of the result; default: that of the last step'),
});

type Params = z.output<typeof params>;

/** Several operations on one picture in one job: it is decoded once, and encoded once by the last of them. */
export const pipeline: Operation<Params> = {
  name: 'pipeline',
  type: 'PIPELINE',
  command: 'run',
  idPrefix: 'pipe',
  syncPaths: ['pipeline'],
  lane: 'device',
  pictures: [{ field: 'image', required: true }],
  summary: 'Does several operations on a picture, one after the other',
  params,
  models: () => [],
  steps: ({ steps, format }) =>
    steps.map(({ operation, ...rest }, index): Step => {
      const isLast = index === steps.length - 1;
      return { operation, params: isLast && format !== undefined ? { ...rest, format } : rest };
    }),
  async perform(bench, { steps }) {
    let picture = bench.input('image');
    const outcomes: Outcome[] = [];
    for (const [index] of steps.entries()) {
      const outcome = await bench.step(index, { picture, isLast: index === steps.length - 1 });
      outcomes.push(outcome);
      const [made] = outcome.outputs;
      if (!made) throw new EngineError('internal', `Step ${index + 1} made nothing`);
      picture = made.path;
    }
    const last = outcomes.at(-1) as Outcome;
    return {
      outputs: last.outputs,
      warnings: outcomes.flatMap(({ warnings }, index) => warnings.map((text) => `Step ${index + 1}: ${text}`)),
      facts: { steps: outcomes.map(({ facts }, index) => ({ operation: steps[index]?.operation, ...facts })) },
    };
  },
};
