import { describe } from 'vitest';
import { openJobs } from '#src/engine/jobs/index.js';
import { outcomeStoreContract } from './outcome-store-contract.js';

describe('an OutcomeStore in the database of the jobs', () => {
  outcomeStoreContract(async (now) => {
    const { outcomes, jobs } = await openJobs({ path: ':memory:', now });
    return { outcomes, close: () => jobs.close() };
  });
});
