import { describe, expect, it } from 'vitest';
import { uuidIds } from '../../src/lifecycle/platform/uuid-ids.js';
import { derivedRunId } from '../../src/model/derived-run-id.js';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the id of a run that follows from another', () => {
  it('is the same for the same two, and another for any other', () => {
    const [one, other] = [uuidIds.next(), uuidIds.next()];
    const ids = [derivedRunId(one, 'a'), derivedRunId(one, 'b'), derivedRunId(other, 'a')];
    expect(derivedRunId(one, 'a')).toBe(ids[0]);
    expect(new Set([...ids, one, other]).size).toBe(5);
  });

  it('is a UUIDv7 of the time of the other run', () => {
    for (let turn = 0; turn < 100; turn += 1) {
      const runId = uuidIds.next();
      expect(derivedRunId(runId, 'wfname:test:told')).toMatch(UUID_V7);
      expect(derivedRunId(runId, 'wfname:test:told').slice(0, 13)).toBe(runId.slice(0, 13));
    }
  });

  it('has the form of one also when the other has not', () => {
    expect(derivedRunId('run-1', 'wfname:test:told')).toMatch(UUID_V7);
  });
});
