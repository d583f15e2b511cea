import { ark } from './ark.js';
import { fal } from './fal.js';
import { gemini } from './gemini.js';
import { kling } from './kling.js';
import { luma } from './luma.js';
import { openaiImages } from './openai-images.js';
import { openaiVideos } from './openai-videos.js';
import type { Provider } from './provider.js';
import { replicate } from './replicate.js';
import { runway } from './runway.js';
import { stability } from './stability.js';

/** Every service that can be configured, in the order in which they are tried unless the owner says otherwise. */
export const providers: readonly Provider[] = [
  kling,
  fal,
  ark,
  runway,
  luma,
  gemini,
  replicate,
  openaiVideos,
  openaiImages,
  stability,
];
