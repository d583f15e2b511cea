import { openJobs } from '#src/engine/jobs/index.js';
import { describe } from 'vitest';
import { deliveryStoreContract } from './delivery-store-contract.js';

describe('a DeliveryStore in the database of the jobs', () => {
  deliveryStoreContract((now) => openJobs({ path: ':memory:', now }));
});
