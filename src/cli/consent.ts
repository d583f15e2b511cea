import { createInterface } from 'node:readline/promises';
import type { ModelEntry } from '../models/lockfile.js';
import { EngineError } from '../engine/errors.js';

/**
 * Shows the licences of models that are about to come, and asks for a yes unless it was given with `--accept-licence`.
 * Errors: `invalid_input` where there is nobody to ask, `cancelled` for a no.
 */
export async function askForConsent(models: readonly ModelEntry[], isAccepted: boolean): Promise<void> {
  for (const entry of models) console.error(describeLicence(entry));
  if (isAccepted) return;
  if (!process.stdin.isTTY) {
    throw new EngineError('invalid_input', 'Read the licences above, then add --accept-licence', {
      param: 'accept-licence',
    });
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and the end of input are a no.
  const answer = await prompt.question('Accept and go on? [y/N] ').catch(() => '');
  prompt.close();
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new EngineError('cancelled', 'The licence was not accepted; nothing was taken');
}

function describeLicence({ id, licence, licenceUrl, commercialUse, notes }: ModelEntry): string {
  const use =
    commercialUse === true ? '' : commercialUse === null ? ' Commercial use: not known.' : ' NOT for commercial use.';
  const where = licenceUrl === undefined ? '' : ` (${licenceUrl})`;
  return `${id}: the licence of its weights is ${licence}${where}.${use}${notes === undefined ? '' : ` ${notes}`}`;
}
