import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['ecl-source', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['ecl-source', 'node', 'import', 'default'] } },
  test: {
    globalSetup: ['test/build-once.ts'],
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    coverage: {
      provider: 'v8',
      include: ['src/**', 'machines/**', 'projections/**'],
      reporter: ['text-summary'],
    },
  },
});
