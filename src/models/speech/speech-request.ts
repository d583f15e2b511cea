import { EngineError } from '../../engine/errors.js';
import type { SpeechModel, SpeechOptions } from '../model.js';

// Faster or slower than that nothing can be understood.
const [slowest, fastest] = [0.25, 4];

/** Refuses a voice that a model does not have, and a speed beyond 0.25 to 4. Errors: `invalid_input`. */
export function checkSpeech(
  { id, voices }: Pick<SpeechModel, 'id' | 'voices'>,
  { voice, speed = 1 }: SpeechOptions,
): void {
  if (voice !== undefined && !voices.includes(voice)) {
    const message = `Expected "voice" to be one that model "${id}" has (${voices.join(', ')}), got "${voice}"`;
    throw new EngineError('invalid_input', message, { param: 'voice' });
  }
  if (speed >= slowest && speed <= fastest) return;
  throw new EngineError('invalid_input', `Expected "speed" to be ${slowest} to ${fastest}, got ${speed}`, {
    param: 'speed',
  });
}
