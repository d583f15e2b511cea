// Copies a picture by rows in a process of its own and prints its size and the most memory that the process held.
import { readFileSync } from 'node:fs';
import { createImageKit } from '#src/engine/media/image.js';

const [path, folder] = process.argv.slice(2);
const kit = createImageKit({ folder, limits: { maxBytes: 50e6, maxPixels: 50e6, maxSide: 30_000 } });
const reader = await kit.open(path);
const writer = await kit.create(reader);
for (let top = 0; top < reader.height; top += 64) {
  await writer.write(await reader.readRows(top, Math.min(64, reader.height - top)));
}
await reader.close();
const { width, height } = await writer.encode('png');
const peakMegabytes = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
process.stdout.write(JSON.stringify({ width, height, peakMegabytes }));
