import { describe, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.ts';
import { codecCompliance } from '../../src/compliance/codec.ts';

describe('MsgpackrCodec', () => {
  codecCompliance(
    { describe, it },
    {
      capabilities: { references: true, outOfBand: true },
      digests: 'routine-engine/digest/1',
      create: (serializers) => new MsgpackrCodec({ serializers }),
    },
  );
});
