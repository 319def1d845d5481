import { describe, expect, it, vi } from 'vitest';
import { FrameSender } from '../../src/protocol/frame-sender.js';
import { multiplexLimits } from '../../src/protocol/multiplex-limits.js';
import { MemoryPipe, Turns } from './memory-pipe.js';

describe('a sender whose peer reads nothing', () => {
  it('gives it up when what it has to answer comes to four windows, and not before', async () => {
    const turns = new Turns();
    const { here } = MemoryPipe.pair(turns);
    const lost = vi.fn<(error: Error) => void>();
    const connectionWindowBytes = 2 * 1024 * 1024;
    const sender = new FrameSender(here, turns, multiplexLimits({ connectionWindowBytes }), lost);
    const frames = (count: number): void => {
      for (let stream = 1; stream <= count; stream += 1) sender.sendStop(stream);
    };
    // The pipe takes a window of its own, and then no more.
    frames(200_000);
    await turns.settle();
    frames(700_000);
    expect(lost).not.toHaveBeenCalled();
    frames(200_000);
    expect(lost).toHaveBeenCalledWith(expect.objectContaining({ message: 'the peer reads nothing' }));
  });
});
