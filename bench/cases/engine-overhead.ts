import type { Case } from '../bench.js';
import { bareLoop, throughEngine, type Work } from '../overhead.js';

const work: Work = { operation: 'background-removal', params: {}, count: 120 };

export default {
  name: 'engine-overhead',
  question:
    'Cut-outs of sellers’ photographs per second: through the engine, and in as many bare threads without queue, files of blobs and host process',
  unit: 'pictures/s',
  variants: { engine: () => throughEngine(work), bare: () => bareLoop(work) },
  rounds: 9,
  mustAgree: true,
  target: { text: 'engine ÷ bare ≥ 0.90', holds: (ratio) => ratio >= 0.9 },
} satisfies Case;
