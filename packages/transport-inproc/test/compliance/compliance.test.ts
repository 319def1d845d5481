import { registerCompliance, transportKit } from '@routine-engine/core/compliance';
import { InprocTransport } from '@routine-engine/transport-inproc';
import { describe, it } from 'vitest';

let listeners = 0;

registerCompliance(
  transportKit,
  { describe, it },
  {
    implementation: { name: 'transport-inproc' },
    capabilities: { ordered: true, largestBodyBytes: Number.POSITIVE_INFINITY, sharesMemory: true },
    create: () => ({ listening: new InprocTransport(), address: () => `inproc:service-${(listeners += 1)}` }),
  },
);
