import { presetsFolder, readConfig } from '../engine/config.js';
import { EngineError } from '../engine/errors.js';
import { findPreset, type Preset, readPresetFile } from '../engine/submissions/presets.js';

/**
 * The preset of this name, or in the file at this path. Errors: `invalid_input`, also for a preset of another operation
 * than `operation`, if that is given.
 */
export function presetOf(text: string, operation?: string): Preset {
  const preset = text.endsWith('.json') ? readPresetFile(text) : findPreset(text, presetsFolder(readConfig()));
  if (operation === undefined || preset.operation === operation) return preset;
  throw new EngineError('invalid_input', `Preset "${preset.name}" is for ${preset.operation}, not for ${operation}`, {
    param: 'preset',
  });
}
