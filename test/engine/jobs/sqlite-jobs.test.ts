import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJobs } from '#src/engine/jobs/index.js';
import { afterAll, beforeAll, describe } from 'vitest';
import { batchContract } from './batch-contract.js';
import { jobStoreContract } from './job-store-contract.js';

describe('a JobStore in a file', () => {
  let folder: string;
  let opened = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'darkroom-jobs-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  jobStoreContract(async (now) => {
    opened += 1;
    return (await openJobs({ path: join(folder, `${opened}`, 'jobs.db'), now })).jobs;
  });
});

describe('a JobStore in memory', () => {
  jobStoreContract(async (now) => (await openJobs({ path: ':memory:', now })).jobs);
  batchContract(async (now) => (await openJobs({ path: ':memory:', now })).jobs);
});
