import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import type { RunHeader } from '../../src/protocol/directives.js';
import { AnsweredRuns } from '../../src/service/answered-runs.js';
import type { NodeSession } from '../../src/service/node-session.js';
import type { RunRecord } from '../../src/service/run-record.js';

/** What of a node is looked at here. */
function node(): { readonly node: NodeSession; readonly acknowledged: RunHeader[] } {
  const acknowledged: RunHeader[] = [];
  const acknowledge = (run: RunHeader): void => void acknowledged.push(run);
  return { node: { acknowledges: true, acknowledge } as unknown as NodeSession, acknowledged };
}

describe('a requester that acknowledges nothing', () => {
  it('has so many outcomes kept for it and no more: the first is acknowledged in its place', () => {
    const answered = new AnsweredRuns();
    const { node: worker, acknowledged } = node();
    const { node: requester } = node();
    const runOf = (index: number): RunRecord =>
      ({ requester, request: { runId: `run-${index}` } }) as unknown as RunRecord;
    for (let index = 0; index <= LIMITS.unacknowledgedRuns; index += 1)
      answered.keepAt([runOf(index)], 1, worker, { runId: `run-${index}`, attempt: 1, lease: index });
    expect(acknowledged).toMatchObject([{ runId: 'run-0' }]);
    expect(answered.get(requester, 'run-0')).toBeUndefined();
    expect(answered.get(requester, 'run-1')).toBeDefined();
    answered.requesterLost(requester);
    expect(acknowledged).toHaveLength(LIMITS.unacknowledgedRuns + 1);
  });
});
