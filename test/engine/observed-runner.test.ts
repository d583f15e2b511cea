import { expect, test } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { observeModels } from '#src/engine/observed-runner.js';
import type { Task } from '#src/engine/task.js';
import { tempFolder } from '../helpers/temp-folder.js';
import { inProcessRunner } from '../helpers/in-process-runner.js';

test('observeModels passes every task on, and tells how it went with its models', async () => {
  const failures = [null, new EngineError('model_unavailable', 'damaged'), new EngineError('timeout', 'late')];
  const heard: string[] = [];
  const inner = inProcessRunner(1, async () => {
    const failure = failures.shift();
    if (failure) throw failure;
  });
  const runner = observeModels(inner, {
    done: ({ device }) => void heard.push(`done on ${device}`),
    refused: ({ models }) => void heard.push(`refused ${Object.values(models).join()}`),
  });
  const task = { id: 'a', folder: await tempFolder(), models: { matting: 'cutout' } } as unknown as Task;
  const options = { signal: new AbortController().signal, onProgress: () => {} };
  await runner.run(task, options);
  await expect(runner.run(task, options)).rejects.toMatchObject({ code: 'model_unavailable' });
  await expect(runner.run(task, options)).rejects.toMatchObject({ code: 'timeout' });
  expect(heard).toEqual([expect.stringMatching(/^done on /), 'refused cutout']);
  expect(runner.idleSlots('device')).toBe(1);
  expect(runner.facts()).toEqual(inner.facts());
});
