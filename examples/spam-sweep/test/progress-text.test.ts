import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { plainLine, treeText } from '../src/progress-text.js';
import { reduceProgress } from '../src/progress-view.js';
import { liveTree, plainLines } from '../src/terminal-view.js';
import { after, failure, root, train } from './run-events.js';

const expected = { train: 4 };
const requested = { type: 'run.requested' } as const;
const starting = { type: 'run.starting', worker: 'worker-2' } as const;
const completed = {
  type: 'run.completed',
  byteLength: 2_500_000,
  remembered: true,
  durationMs: 1234,
} as const;
const cached = { type: 'run.cached', from: 'store', byteLength: 999 } as const;

const [a, b, c] = [train('a'), train('b'), train('c')];
const sweepRequested = root().tell(requested);
const halfway = after(
  sweepRequested,
  root().tell({ type: 'run.hanging' }),
  ...[a, b, c].map((run) => run.tell(requested)),
  a.tell(starting),
  a.tell(completed),
  b.tell(cached),
  c.tell(starting),
  c.tell({ type: 'run.progress', done: 1, total: 2 }),
);

describe('the live tree', () => {
  const draw = (colors: boolean) =>
    treeText(halfway, expected, sweepRequested.at + 12_300, pc.createColors(colors));

  it('shows state and time of the root, and counts, progress and bytes of what it called', () => {
    expect(draw(false).split('\n')).toEqual([
      expect.stringMatching(/^\S sweep {4}hanging {2}12\.3 s$/),
      expect.stringMatching(
        /^ {2}\S train {2}━━━━━━━───── {5}2\/4 {2}1 running, 1 done, 1 cached {2}2\.5 MB$/,
      ),
    ]);
  });

  it('has the same text with colours', () => {
    expect(draw(true)).not.toBe(draw(false));
    expect(stripVTControlCharacters(draw(true))).toBe(draw(false));
  });

  it.each([
    ['✖', { type: 'run.failed', error: failure }],
    ['◼', { type: 'run.cancelled', error: failure }],
    ['✔', completed],
  ] as const)('marks a line with %s after %o', (symbol, end) => {
    const state = after(a.tell(requested), a.tell(end));
    expect(treeText(state, {}, 0, pc.createColors(false))).toMatch(new RegExp(`^${symbol} train`));
  });

  it('draws on its terminal, with notices above the tree that stay', () => {
    let drawn = '';
    const terminal = new Writable({
      write(chunk, _encoding, done) {
        drawn += String(chunk);
        done();
      },
    }) as unknown as NodeJS.WriteStream;
    Object.assign(terminal, { isTTY: true, columns: 80, rows: 24 });
    const display = liveTree(terminal, expected);
    const log = a.tell({ type: 'run.log', level: 'warn', message: 'careful' });
    display.show(log, reduceProgress(halfway, log));
    display.close();
    const text = stripVTControlCharacters(drawn);
    expect(text).toContain('train: warn: careful\n');
    expect(text).toContain('sweep    hanging');
  });
});

describe('plain lines', () => {
  it('tell of every end of a run and how many are to come', () => {
    const lines: string[] = [];
    const display = plainLines((text) => lines.push(text), expected);
    let state = after();
    for (const event of [
      sweepRequested,
      a.tell(requested),
      a.tell(starting),
      a.tell({ type: 'run.progress', done: 1, total: 2 }),
      a.tell(completed),
      b.tell(cached),
      c.tell({ type: 'run.cached', from: 'shared', byteLength: 5 }),
      train('d').tell({ type: 'run.failed', error: failure }),
      root().tell({ type: 'run.completed', byteLength: 0, remembered: false, durationMs: 65_000 }),
    ]) {
      state = reduceProgress(state, event);
      display.show(event, state);
    }
    display.close();
    expect(lines).toEqual([
      'sweep requested\n',
      'train 1/4 done in 1.2 s on worker-2 (2.5 MB)\n',
      'train 2/4 from the store (999 B)\n',
      'train 3/4 shared with an equal run (5 B)\n',
      'train 4/4 failed: RangeError: learningRate is 0\n',
      'sweep done in 1 min 5 s\n',
    ]);
  });

  const base = { at: 1, node: 'client' };
  it.each([
    [
      a.tell({ type: 'run.retrying', delayMs: 0, error: { name: 'E', message: 'worker-1 is gone' } }),
      'train is run again: worker-1 is gone',
    ],
    [
      a.tell({ type: 'run.waiting', reason: 'no-capable-worker', detail: 'offered: 0.9.0' }),
      'train waits: offered: 0.9.0',
    ],
    [a.tell({ type: 'run.log', level: 'info', message: 'hello' }), 'train: hello'],
    [a.tell({ type: 'run.cancelled', error: failure }), 'train 1/4 cancelled'],
    [
      { ...base, type: 'store.corrupt', store: 'fs', key: 'abcdef0123456789', detail: 'cut short' },
      'store fs: damaged result abcdef012345 put aside: cut short',
    ],
    [
      { ...base, type: 'store.failed', store: 'fs', key: 'k', operation: 'put', error: failure },
      'store fs: put failed: learningRate is 0',
    ],
    [
      { ...base, type: 'transport.lost', address: 'inproc:a', error: failure },
      'link to inproc:a lost: learningRate is 0',
    ],
    [
      { ...base, type: 'worker.status', worker: 'worker-1', status: 'UNRESPONSIVE', running: 1, hanging: 0 },
      'worker-1 does not answer',
    ],
    [
      { ...base, type: 'worker.status', worker: 'worker-1', status: 'WORKING', running: 1, hanging: 0 },
      undefined,
    ],
    [{ ...base, type: 'store.miss', store: 'fs', key: 'k' }, undefined],
  ] as const)('say of %o: %s', (event, line) => {
    expect(plainLine(event, after(a.tell(requested), event), expected)).toBe(line);
  });
});
