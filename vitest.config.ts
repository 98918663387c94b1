import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: ['src/storage/tests/share-radosgw.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
