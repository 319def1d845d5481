import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { resultKey, runKey } from '../../src/cache/result-key.js';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';

const codec = new MsgpackrCodec();
const parts = {
  ...{ routineId: 'tname:test:double:1.0.0', sourceHash: undefined, codec: codec.name },
  argumentsDigest: codec.digest([21]),
};
const document = readFileSync(new URL('../../../../docs/remembering.md', import.meta.url), 'utf8');

describe('the key of a result', () => {
  it('is as docs/remembering.md has it', () => {
    expect(document).toContain(`digest of [21]   ${parts.argumentsDigest}\n`);
    expect(document).toContain(`key              ${resultKey(parts)}\n`);
    const lines = ['result-key-1', parts.routineId, '', parts.argumentsDigest, 'msgpackr-1'];
    expect(resultKey(parts)).toBe(createHash('sha256').update(lines.join('\n')).digest('hex'));
  });

  it('differs for each part', () => {
    const others = [
      { routineId: 'tname:test:double:1.0.1' },
      { sourceHash: 'a'.repeat(64) },
      { argumentsDigest: codec.digest(['21']) },
      { codec: 'other-1' },
    ];
    const keys = others.map((other) => resultKey({ ...parts, ...other }));
    expect(new Set([resultKey(parts), ...keys, runKey('run', codec.name)]).size).toBe(6);
  });
});
