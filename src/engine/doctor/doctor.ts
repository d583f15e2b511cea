import type { Config } from '../config.js';
import { toEngineError } from '../errors.js';
import { openShelf } from '../shelf.js';
import { type Finding, good, lack } from './finding.js';
import { checkDataFolder, checkDisk, checkMemory, checkNode, checkSettings } from './machine.js';
import { checkDevice, checkFfmpeg, checkFonts, checkLibraries } from './tools.js';

/** Says, one thing after the other, what this machine can do with these settings and what is missing. */
export async function* examine(config: Config): AsyncGenerator<Finding> {
  yield checkNode();
  yield checkSettings();
  yield await checkDataFolder(config);
  yield await checkDisk(config);
  yield checkMemory(config);
  yield* checkModels(config);
  yield checkLibraries();
  yield await checkDevice(config);
  yield await checkFfmpeg(config);
  yield await checkFonts();
}

/** The bundled models, the pulled ones, and those that a licence keeps from being used. */
export async function* checkModels(config: Config): AsyncGenerator<Finding> {
  try {
    const shelf = await openShelf(config, { readsPulled: false });
    const statuses = shelf.statuses();
    const bundled = statuses.filter(({ tier }) => tier === 'bundled').map(({ id }) => id);
    const problems = shelf.problems();
    for (const says of problems) yield lack('bundled models', 'bad', { says, next: 'install the program anew' });
    if (problems.length === 0) yield good('bundled models', bundled.join(', '));
    const pulled = statuses.filter(({ tier, installed }) => tier !== 'bundled' && installed);
    await shelf.suspect(pulled.map(({ id }) => id));
    const warnings = shelf.warnings();
    for (const says of warnings)
      yield lack('pulled models', 'fair', { says, next: 'do what it says, or remove the model' });
    for (const { id, problem } of shelf.statuses().filter(({ tier, installed }) => tier !== 'bundled' && installed)) {
      const isTold = problem === null || warnings.some((says) => says.includes(`"${id}"`));
      if (!isTold)
        yield lack('pulled models', 'fair', {
          says: `"${id}" is not used: ${problem}`,
          next: 'do what it says, or remove the model',
        });
    }
    if (warnings.length === 0)
      yield good('pulled models', pulled.map(({ id }) => id).join(', ') || 'none; npx darkroom models list');
  } catch (error) {
    yield lack('models', 'bad', { says: toEngineError(error).message, next: 'install the program anew' });
  }
}
