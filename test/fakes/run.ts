/**
 * Starts fakes of services for a demonstration, each on a port of its own, and prints what to start Darkroom with:
 *
 *     npm run fakes -- kling ark --queue 8
 *
 * Names are those of `test/fakes/index.ts`; without any, all are started. `--queue` is how many seconds a job takes.
 */
import { FakeService } from './fake-service.js';
import { wires } from './index.js';
import { fakeKey } from './wire.js';

const { names, queueMs } = readArguments(process.argv.slice(2));
const services: Record<string, object> = {};
for (const name of names) {
  const wire = wires[name];
  if (wire === undefined) {
    process.stderr.write(`There is no fake "${name}"; there are ${Object.keys(wires).join(', ')}\n`);
    process.exit(1);
  }
  const fake = await new FakeService(wire, { queueMs, looks: { queued: 1, running: 1 } }).start();
  process.stdout.write(`${name.padEnd(14)} ${fake.url}\n`);
  services[wire.name] ??= { baseUrl: fake.url, keys: [fakeKey], pollSeconds: 1 };
}
process.stdout.write(`\nDARKROOM_PROVIDERS='${JSON.stringify(services)}' npm start\n`);

function readArguments(given: string[]): { names: string[]; queueMs: number } {
  const at = given.indexOf('--queue');
  const queueMs = at < 0 ? 5_000 : Number(given[at + 1]) * 1000;
  const names = at < 0 ? given : given.filter((_, index) => index !== at && index !== at + 1);
  return { names: names.length > 0 ? names : Object.keys(wires), queueMs };
}
