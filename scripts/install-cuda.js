#!/usr/bin/env node
/**
 * Fetches the CUDA and TensorRT libraries of ONNX Runtime, which are too large for the npm registry, from the place
 * that onnxruntime-node names. Run it on purpose, on a machine with network: npm run gpu:cuda
 * Without network copy the same files from another machine into node_modules/onnxruntime-node/bin/napi-v6/<platform>/<arch>/.
 */
import { createRequire } from 'node:module';

// Stronger than the `skip` of .npmrc, which keeps `npm ci` off the network.
process.env.ONNXRUNTIME_NODE_INSTALL = 'cuda12';
process.on('exit', (code) => {
  if (code !== 0)
    console.error(
      'The CUDA libraries could not be fetched; scripts/install-cuda.js says how to copy them from another machine.',
    );
});
createRequire(import.meta.url)('onnxruntime-node/script/install.js');
