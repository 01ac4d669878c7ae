import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxConcurrency: 2, // of tests that say they may
    fileParallelism: false, // two cores, real packets: suites would starve each other
  },
})
