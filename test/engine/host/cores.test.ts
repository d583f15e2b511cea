import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { availableCores } from '#src/engine/host/cores.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'darkroom-cores-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function files(contents: Record<string, string>): void {
  for (const [path, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

describe('availableCores', () => {
  it.each<[string, Record<string, string>, number]>([
    ['no control groups', {}, 8],
    ['no limit (v2)', { 'proc/self/cgroup': '0::/a\n', 'sys/fs/cgroup/a/cpu.max': 'max 100000\n' }, 8],
    ['two and a half cores (v2)', { 'proc/self/cgroup': '0::/a\n', 'sys/fs/cgroup/a/cpu.max': '250000 100000\n' }, 2],
    [
      'a limit of a group above (v2)',
      { 'proc/self/cgroup': '0::/a/b\n', 'sys/fs/cgroup/a/cpu.max': '300000 100000' },
      3,
    ],
    [
      'a container that sees its group as root (v2)',
      { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '400000 100000' },
      4,
    ],
    ['a tenth of a core (v2)', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '10000 100000' }, 1],
    ['more than there are (v2)', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '6400000 100000' }, 8],
    [
      'three cores (v1)',
      {
        'proc/self/cgroup': '4:memory:/m\n2:cpu,cpuacct:/x\n0::/\n',
        'sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us': '300000\n',
        'sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us': '100000\n',
      },
      3,
    ],
    [
      'no limit (v1)',
      {
        'proc/self/cgroup': '1:cpu:/\n',
        'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      8,
    ],
  ])('with %s', (_, contents, expected) => {
    files(contents);
    expect(availableCores({ parallelism: 8, root })).toBe(expected);
  });

  it('finds at least one on this machine', () => {
    expect(availableCores()).toBeGreaterThanOrEqual(1);
  });
});
