import { describe, it } from 'node:test';
import { MsgpackrCodec } from '@routine-engine/core/adapter';
import { codecCompliance } from '@routine-engine/core/compliance';
import { GzipCodec } from '../src/index.js';

codecCompliance(
  { describe, it: (name, run, timeout) => void it(name, { timeout }, run) },
  {
    implementation: { name: '{{name}}' },
    capabilities: { references: true, outOfBand: true },
    // Those of the codec in it.
    digests: 'routine-engine/digest/1',
    create: (serializers) => new GzipCodec(new MsgpackrCodec({ serializers })),
  },
);
