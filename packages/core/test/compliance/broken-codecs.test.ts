import { describe, expect, it } from 'vitest';
import { codecKit } from '../../src/compliance/codec.ts';
import type { CodecSubject } from '../../src/compliance/codec-subject.ts';
import { BROKEN_BYTES, BROKEN_STREAMS } from './broken-codec-bytes.ts';
import { BROKEN_CODECS, brokenCodec } from './broken-codecs.ts';
import { casesFor, failedCases } from './failed-cases.ts';

function subjectOf(breakage: (typeof BROKEN_CODECS)[number][2]): CodecSubject {
  return {
    capabilities: { references: true, outOfBand: true },
    digests: 'routine-engine/digest/1',
    create: (serializers) => brokenCodec(breakage, { serializers }),
  };
}

describe('the kit for codecs', () => {
  it('has more than 60 cases', () => {
    expect(
      casesFor(
        codecKit,
        subjectOf(() => ({})),
      ).length,
    ).toBeGreaterThan(60);
  });

  it('finds nothing wrong with a codec that keeps its promises', async () => {
    expect(
      await failedCases(
        codecKit,
        subjectOf(() => ({})),
      ),
    ).toEqual([]);
  });

  it.each([...BROKEN_CODECS, ...BROKEN_BYTES, ...BROKEN_STREAMS])(
    'catches a codec that %s, by exactly these cases',
    async (_, ids, breakage) => {
      expect(await failedCases(codecKit, subjectOf(breakage))).toEqual(ids);
    },
  );
});
