import { describe, expect, it } from 'vitest';
import { type Measurement, measure, type Subject } from '#src/engine/probe/measure.js';
import { convInput, convNetwork } from '#src/engine/probe/network.js';
import { deviceSubject, layoutSubject } from '#src/engine/probe/subject.js';
import { childrenWith, until } from '../../helpers/processes.js';

const shape = { side: 16, channels: 4, layers: 3 };

const subject: Subject = {
  network: convNetwork(shape),
  feeds: { input: { type: 'float32', data: convInput(shape), dims: [1, 3, 16, 16] } },
};

const brief: Measurement = { device: 'cpu', workers: 1, threads: 1, ms: 1, isProfiled: false };

describe('measure', () => {
  it('runs a generated network, alone and side by side, with the same answer', async () => {
    const [alone, both] = await measure(subject, [brief, { ...brief, workers: 2 }], 20_000);
    expect(alone?.output.dims).toEqual([1, 3, 16, 16]);
    expect(Math.max(...Array.from(alone?.output.data ?? [], Number))).toBeGreaterThan(0.1);
    expect(both?.output.data).toEqual(alone?.output.data);
    expect([alone, both].every((finding) => (finding?.runsPerSecond ?? 0) > 0)).toBe(true);
  });

  it('finds in the profile which provider ran it', async () => {
    const [finding] = await measure(subject, [{ ...brief, isProfiled: true }], 20_000);
    expect(finding?.report).toMatchObject({ isOnDevice: true, nodes: { CPUExecutionProvider: expect.any(Number) } });
  });

  it('says what the runtime says when it refuses', async () => {
    const broken = { ...subject, network: Uint8Array.from([1, 2, 3]) };
    await expect(measure(broken, [brief], 20_000)).rejects.toMatchObject({ code: 'model_unavailable' });
  });

  it('does not wait longer than it may', async () => {
    await expect(measure(subject, [{ ...brief, ms: 60_000 }], 1000)).rejects.toMatchObject({ code: 'timeout' });
  });

  it.skipIf(process.platform !== 'linux')(
    'says so when the runtime ends its process, and leaves none behind',
    async () => {
      const finding = measure(subject, [{ ...brief, ms: 60_000 }], 60_000);
      finding.catch(() => {});
      await until(() => childrenWith('probe/entry.js').length === 1);
      for (const pid of childrenWith('probe/entry.js')) process.kill(pid, 'SIGABRT');
      await expect(finding).rejects.toMatchObject({ code: 'crashed', message: expect.stringMatching(/SIGABRT/) });
      await until(() => childrenWith('probe/entry.js').length === 0);
    },
  );

  it.each([
    ['workers and threads', layoutSubject],
    ['devices', deviceSubject],
  ])('runs the network by which %s are chosen', async (_, open) => {
    const [finding] = await measure(await open(), [brief], 20_000);
    expect(finding?.output.data.length).toBeGreaterThan(0);
  });
});
