import { EngineError } from '../errors.js';
import type { Size } from '../media/media.js';

/** Throws `invalid_input` for a picture that lies over another, as a mask does, and is not as large. */
export function checkOverlay(overlay: Size, { width, height }: Size, param: string): void {
  if (overlay.width === width && overlay.height === height) return;
  const got = `${overlay.width} × ${overlay.height}`;
  const message = `Expected \`${param}\` to be as large as the picture, ${width} × ${height}, got ${got}`;
  throw new EngineError('invalid_input', message, { param });
}
