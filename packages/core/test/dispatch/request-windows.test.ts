import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestWindows, type Windowed } from '../../src/dispatch/request-windows.js';

class Request implements Windowed {
  readonly window: string;
  readonly name: string;
  windowState: Windowed['windowState'] = 'kept';

  constructor(name: string) {
    this.window = name.slice(0, 1);
    this.name = name;
  }
}
const namesOf = (requests: readonly Request[]): string => requests.map(({ name }) => name).join(' ');

/** Requests, by windows that let two of each be under way. */
function open(most = 2): {
  windows: RequestWindows<Request>;
  started: Request[];
  ask: (name: string) => Request;
} {
  const started: Request[] = [];
  const windows = new RequestWindows<Request>(most, (request) => void started.push(request));
  const ask = (name: string): Request => {
    const request = new Request(name);
    windows.enter(request);
    return request;
  };
  return { windows, started, ask };
}

describe('a window of requests', () => {
  it('lets in so many at once, and the next in order when one is over', () => {
    const { windows, started, ask } = open();
    const [first] = ['a1', 'a2', 'a3', 'a4'].map(ask);
    expect(namesOf(started)).toBe('a1 a2');
    if (first) windows.leave(first);
    expect(namesOf(started)).toBe('a1 a2 a3');
  });

  it('keeps nobody back on behalf of others', () => {
    const { started, ask } = open();
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'b3']) ask(name);
    expect(namesOf(started)).toBe('a1 a2 b1 b2');
  });

  it('never lets in what was given up meanwhile', () => {
    const { windows, started, ask } = open();
    const [first, , third] = ['a1', 'a2', 'a3', 'a4'].map(ask);
    if (third) windows.leave(third);
    if (first) windows.leave(first);
    expect(namesOf(started)).toBe('a1 a2 a4');
  });

  it('lets in all the others, however many, when what it lets in is over at once', () => {
    const started: string[] = [];
    const windows: RequestWindows<Request> = new RequestWindows<Request>(1, (request) => {
      started.push(request.name);
      if (request.name !== 'a0') windows.leave(request);
    });
    const requests = Array.from({ length: 100_000 }, (_, n) => new Request(`a${n}`));
    for (const request of requests) windows.enter(request);
    expect(started).toEqual(['a0']);
    if (requests[0]) windows.leave(requests[0]);
    expect(started).toHaveLength(100_000);
    expect(windows.size).toBe(0);
  });

  it('whatever comes and goes: is full or keeps none, in order, and holds on to nothing in the end', () => {
    const deeds = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'leave'), fc.nat()), { maxLength: 100 });
    fc.assert(
      fc.property(deeds, (taken) => {
        const { windows, started, ask } = open();
        const asked: Request[] = [];
        for (const [deed, which] of taken) {
          const some = asked[which % Math.max(1, asked.length)];
          if (deed !== 'leave') asked.push(ask(`${deed}${asked.length}`));
          else if (some) windows.leave(asked.splice(asked.indexOf(some), 1)[0] ?? some);
          for (const window of ['a', 'b']) {
            const here = asked.filter((request) => request.window === window);
            const sent = here.filter(({ windowState }) => windowState === 'sent');
            expect(sent).toEqual(here.slice(0, sent.length));
            expect(sent.length).toBe(Math.min(2, here.length));
          }
        }
        for (const request of asked) windows.leave(request);
        expect(new Set(started).size).toBe(started.length);
        expect(windows.size).toBe(0);
      }),
    );
  });
});
