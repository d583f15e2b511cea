import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

export interface CoreSources {
  /** Default: what the operating system lets this process use. */
  parallelism?: number;
  /** Where `proc` and `sys` lie; default `/`. */
  root?: string;
}

/** How many cores this process may use: those it is allowed to run on, or the quota of its control groups if that is less. At least 1. */
export function availableCores({ parallelism = availableParallelism(), root = '/' }: CoreSources = {}): number {
  const quotas = groups(root).flatMap(({ controllers, path }) =>
    controllers === '' ? quotasV2(root, path) : quotasV1(root, controllers, path),
  );
  return Math.max(1, Math.min(parallelism, ...quotas.map(Math.floor)));
}

/** The control groups of this process, one line each: `hierarchy:controllers:path`; version 2 names no controllers. */
function groups(root: string): { controllers: string; path: string }[] {
  return read(join(root, 'proc/self/cgroup'))
    .split('\n')
    .map((line) => line.match(/^\d+:([^:]*):(.*)$/))
    .filter((match) => match !== null)
    .map(([, controllers = '', path = '']) => ({ controllers, path }));
}

/** `cpu.max` is "quota period" or "max period"; a limit of any group above holds too. */
function quotasV2(root: string, path: string): number[] {
  return lineage(path).flatMap((group) => {
    const [quota, period] = read(join(root, 'sys/fs/cgroup', group, 'cpu.max'))
      .trim()
      .split(' ')
      .map(Number);
    return ratio(quota, period);
  });
}

function quotasV1(root: string, controllers: string, path: string): number[] {
  if (!controllers.split(',').includes('cpu')) return [];
  return ['cpu', 'cpu,cpuacct'].flatMap((mount) =>
    lineage(path).flatMap((group) => {
      const folder = join(root, 'sys/fs/cgroup', mount, group);
      return ratio(
        Number(read(join(folder, 'cpu.cfs_quota_us')) || 'NaN'),
        Number(read(join(folder, 'cpu.cfs_period_us')) || 'NaN'),
      );
    }),
  );
}

/** The path and all above it: `/a/b`, `/a`, `/`. In a container the group's own path is often not visible, only the root is. */
function lineage(path: string): string[] {
  const names = path.split('/').filter(Boolean);
  return [...names.keys(), names.length].map((depth) => `/${names.slice(0, depth).join('/')}`);
}

function ratio(quota: number | undefined, period: number | undefined): number[] {
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? [quota / period] : [];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
