import { defineConfig } from 'vitest/config';

// Workspace packages resolve to their sources, so that tests need no build and coverage shows the sources.
// Not 'module': with it Node loads files of some dependencies that are meant for bundlers and have imports without extension.
const conditions = ['@routine-engine/source', 'node'];

const projects = [
  { name: 'core', root: './packages/core' },
  { name: 'transport-inproc', root: './packages/transport-inproc' },
  { name: 'transport-ws', root: './packages/transport-ws' },
  { name: 'store-fs', root: './packages/store-fs' },
  { name: 'store-s3', root: './packages/store-s3' },
  { name: 'cli', root: './packages/cli' },
  { name: 'create', root: './packages/create' },
  { name: 'spam-sweep', root: './examples/spam-sweep' },
  { name: 'compositions', root: './test/compositions' },
  { name: 'packed', root: './test/packed' },
  { name: 'repository', root: './test/repository' },
];

export default defineConfig({
  test: {
    globalSetup: './vitest.setup.build.ts',
    // By default it leaves one core alone, which on two is half of the machine.
    maxWorkers: '100%',
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      reporter: ['text-summary', 'lcov', 'json-summary'],
    },
    projects: projects.map(({ name, root }) => ({
      // `resolve.conditions` has no effect on code that vitest runs in Node: only this has.
      ssr: { resolve: { conditions } },
      test: {
        name,
        root,
        include: root.startsWith('./test/') ? ['**/*.test.ts'] : ['test/**/*.test.ts'],
        // Forks, not threads: tests start background threads and send signals, as users' programs do.
        pool: 'forks' as const,
        testTimeout: 30_000,
        hookTimeout: 30_000,
        // A test that passes at the second try has found something: look at it.
        retry: 0,
      },
    })),
  },
});
