import { defineConfig } from 'vitest/config';

// Tests import the compiled program through `#src/…`, so they exercise what ships, worker threads and child processes included.
export default defineConfig({
  test: {
    root: '.',
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: process.env.CI ? ['default'] : ['dot'],
  },
});
