import { everythingRemote, executionPolicy } from '@routine-engine/core';
import { engineCompliance } from '@routine-engine/core/compliance';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { describe, it } from 'vitest';

describe('a cluster of one worker', () => {
  engineCompliance({ describe, it }, { plugins: (modules) => [embeddedCluster({ workers: 1, modules })] });
});

describe('a cluster of two workers where nothing runs here', () => {
  engineCompliance(
    { describe, it },
    {
      plugins: (modules) => [embeddedCluster({ workers: 2, modules }), executionPolicy(everythingRemote)],
    },
  );
});
