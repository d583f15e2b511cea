import { arkWire, seedreamWire } from './ark.js';
import { falWire } from './fal.js';
import { omniWire, veoWire } from './gemini.js';
import { klingWire } from './kling.js';
import { lumaWire } from './luma.js';
import { openaiImagesWire, openaiVideosWire } from './openai.js';
import { replicateWire } from './replicate.js';
import { runwayWire } from './runway.js';
import { stabilityWire } from './stability.js';
import type { Wire } from './wire.js';

/** Every fake by the name it is started under. */
export const wires: Record<string, Wire> = {
  kling: klingWire,
  ark: arkWire,
  seedream: seedreamWire,
  fal: falWire,
  replicate: replicateWire,
  runway: runwayWire,
  luma: lumaWire,
  gemini: omniWire,
  veo: veoWire,
  'openai-videos': openaiVideosWire,
  'openai-images': openaiImagesWire,
  stability: stabilityWire,
};
