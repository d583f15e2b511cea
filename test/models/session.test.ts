import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSession, knownDevices, verifyDevice } from '#src/models/session.js';
import { onnx } from '../helpers/onnx.js';
import { tinyCutout } from '../helpers/tiny-models.js';

const grey = { type: 'uint8', data: new Uint8Array(5 * 7 * 3).fill(128), dims: [1, 5, 7, 3] } as const;

describe('createSession', () => {
  test('runs the network and gives its result as plain data', async () => {
    const { bytes, entry } = tinyCutout();
    const session = await createSession(bytes, { device: 'cpu', threads: 1, model: entry });
    const { alpha } = await session.run({ image: grey });
    expect(session).toMatchObject({ device: 'cpu', inputNames: ['image'], outputNames: ['alpha'] });
    expect(alpha?.type).toBe('float32');
    expect(alpha?.dims).toEqual([1, 1, 5, 7]);
    expect(alpha?.data).toHaveLength(35);
    await session.release();
  });

  test('says that bytes are no network', async () => {
    const load = createSession(new Uint8Array(100).fill(7), { device: 'cpu', threads: 1 });
    await expect(load).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringContaining('on cpu') });
  });

  test('throws for a device that is not there instead of falling back', async () => {
    const device = process.platform === 'win32' ? 'coreml' : 'directml';
    const load = createSession(tinyCutout().bytes, { device, threads: 1 });
    await expect(load).rejects.toMatchObject({ code: 'model_unavailable', message: expect.stringContaining(device) });
  });

  test('a run with a wrong shape is an internal error that keeps its cause', async () => {
    const session = await createSession(tinyCutout().bytes, { device: 'cpu', threads: 1 });
    const run = session.run({ image: { ...grey, dims: [1, 5, 21] } });
    await expect(run).rejects.toMatchObject({ code: 'internal', cause: expect.any(Error) });
  });

  test('a run that needs more memory than there can be says so', async () => {
    const shape = BigInt64Array.of(1n << 20n, 1n << 20n);
    const bytes = onnx({
      inputs: [{ name: 'any', type: 'float32', shape: [1] }],
      outputs: [{ name: 'huge', type: 'float32', shape: ['H', 'W'] }],
      nodes: [
        { op: 'Expand', inputs: ['any', 'shape'], outputs: ['wide'] },
        { op: 'Exp', inputs: ['wide'], outputs: ['huge'] },
      ],
      initializers: [{ name: 'shape', dims: [2], data: shape }],
    });
    const session = await createSession(bytes, { device: 'cpu', threads: 1 });
    const run = session.run({ any: { type: 'float32', data: Float32Array.of(1), dims: [1] } });
    await expect(run).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringContaining('smaller picture'),
    });
  });
});

test('verifyDevice reads from a profile which provider ran the nodes, and leaves no file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-session-'));
  try {
    const report = await verifyDevice(tinyCutout().bytes, 'cpu', { feeds: { image: grey }, folder });
    expect(report.isOnDevice).toBe(true);
    expect(Object.keys(report.nodes)).toEqual(['CPUExecutionProvider']);
    expect(report.nodes.CPUExecutionProvider).toBeGreaterThan(3);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the CPU is among the known devices', () => {
  expect(knownDevices()).toContain('cpu');
});
