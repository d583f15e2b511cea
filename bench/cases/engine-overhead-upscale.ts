import type { Case } from '../bench.js';
import { bareLoop, throughEngine, type Work } from '../overhead.js';

const work: Work = { operation: 'super-resolution', params: { scale: 2 }, count: 16 };

export default {
  name: 'engine-overhead-upscale',
  question:
    'Two-fold enlargements of sellers’ photographs per second: through the engine, and in as many bare threads without queue, files of blobs and host process',
  unit: 'pictures/s',
  variants: { engine: () => throughEngine(work), bare: () => bareLoop(work) },
  rounds: 5,
  mustAgree: true,
  target: { text: 'engine ÷ bare ≥ 0.90', holds: (ratio) => ratio >= 0.9 },
} satisfies Case;
