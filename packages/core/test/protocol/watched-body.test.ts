import { describe, expect, it } from 'vitest';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { WatchedBody } from '../../src/protocol/watched-body.js';
import { UnreadBody } from '../support/unread-body.js';
import { read } from './connected.js';

describe('a watched body', () => {
  it('that is stopped before anybody reads it gives its reader the reason, and its sender keeps nothing', async () => {
    const source = new UnreadBody();
    const heard: string[] = [];
    const body = new WatchedBody(source, {
      onEnd: () => heard.push('end'),
      onFailed: () => heard.push('failed'),
      onGivenUp: () => heard.push('given up'),
    });
    body.stop(new RoutineEngineError('RUN_CANCELLED', 'enough'));
    await expect(read(body)).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(source.isGivenUp).toBe(true);
    expect(heard).toEqual([]);
  });
});
