import assert from 'node:assert/strict';
import process from 'node:process';
import { fill } from './message-pipe-close.js';
import {
  hearMessages,
  type MessagePipeCase,
  type MessagePipeGiven,
  needsCut,
  numbered,
  sendAll,
} from './message-pipe-subject.js';
import { ResourceWatch } from './resource-watch.js';
import { upTo } from './sample-bodies.js';

const promise = 'pipe-leaves-nothing';

/** How many listeners the process has. */
function processListeners(): number {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
}

/** Opens a pipe, does something with it, and closes it. Fails when handles or timers of it are open then. */
async function assertLeavesNothing(
  { open, signal }: MessagePipeGiven,
  use: (pipe: Awaited<ReturnType<MessagePipeGiven['open']>>) => Promise<void>,
): Promise<void> {
  const watch = new ResourceWatch();
  await watch.during(async () => {
    const pipe = await open();
    const ended = [pipe.here, pipe.there].map((end) => hearMessages(end).completed);
    await use(pipe);
    pipe.here.close();
    pipe.there.resume();
    await Promise.all([pipe.here.closed, pipe.there.closed, ...ended]);
    await pipe.destroy?.();
    assert.deepEqual(await watch.open(), [], 'handles and timers that are still open');
  }, signal);
}

/** What is left behind. */
export const pipeLeakCases: readonly MessagePipeCase[] = [
  {
    id: 'message-pipe/leaks/closed',
    title: 'leaves no handle and no timer when it is closed',
    promise,
    run: (given) =>
      assertLeavesNothing(given, ({ here }) =>
        sendAll(
          here,
          upTo(100).map((n) => numbered(n)),
        ),
      ),
  },
  {
    id: 'message-pipe/leaks/full',
    title: 'leaves nothing when it was full, and somebody waited for room',
    promise,
    run: (given) =>
      assertLeavesNothing(given, async ({ here, there }) => {
        there.pause();
        fill(here, given.largest);
        // It is told by the close that follows.
        here.drained().catch(() => undefined);
      }),
  },
  {
    id: 'message-pipe/leaks/lost',
    title: 'leaves nothing when it was lost',
    promise,
    needs: needsCut,
    run: (given) =>
      assertLeavesNothing(given, async (pipe) => {
        pipe.here.send(numbered(0));
        await given.cut(pipe);
        await pipe.here.closed;
      }),
  },
  {
    id: 'message-pipe/leaks/process-listeners',
    title: 'leaves no listener on the process',
    promise,
    async run(given) {
      const once = async (): Promise<void> => {
        const { here, there } = await given.open();
        here.send(numbered(0));
        await hearMessages(there).next();
        here.close();
        await there.closed;
      };
      await once();
      const before = processListeners();
      for (let n = 0; n < 3; n += 1) await once();
      assert.equal(processListeners(), before);
    },
  },
];
