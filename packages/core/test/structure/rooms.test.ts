import { describe, expect, it } from 'vitest';
import { checkAdapter, checkCore, checkExample, checkProgram, findCycle } from './check.js';
import { doors, rooms, roomExceptions } from './rooms.js';
import { doorsOf, foldersIn, sourcesIn } from './sources.js';

const core = 'packages/core';
/** They compose adapters, and are none. */
const programs = ['packages/cli'];
const adapters = foldersIn('packages').filter((folder) => folder !== core && !programs.includes(folder));
/** Adapters as strangers write them. */
const strangers = ['examples/store-sqlite', 'examples/transport-unix-socket'];
const examples = foldersIn('examples').filter((folder) => !strangers.includes(folder));

describe('the table of rooms', () => {
  it('has no cycle', () => {
    expect(findCycle(rooms)).toBeUndefined();
  });

  it('has no cycle with the exceptions for single files either', () => {
    const widened = new Map(rooms);
    for (const { files, mayImport } of roomExceptions) {
      const room = /^\^(\w+)/.exec(files.source)?.[1] ?? '';
      widened.set(room, [...(rooms.get(room) ?? []), ...mayImport]);
    }
    expect(widened.get('thread')).toContain('define');
    expect(findCycle(widened)).toBeUndefined();
  });

  it('names only rooms that it knows', () => {
    const named = [...rooms.values(), ...roomExceptions.map(({ mayImport }) => mayImport)].flat();
    expect(named.filter((room) => !rooms.has(room))).toEqual([]);
  });
});

describe('the sources', () => {
  it('of core keep to the rooms', () => {
    const sources = sourcesIn(`${core}/src`);
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.flatMap(checkCore)).toEqual([]);
  });

  it('of core lie in rooms that all exist', () => {
    const paths = sourcesIn(`${core}/src`).map(({ path }) => path);
    expect([...rooms.keys()].filter((room) => !paths.some((path) => path.startsWith(`${room}/`)))).toEqual(
      [],
    );
    expect(doors.filter((door) => !paths.includes(door))).toEqual([]);
  });

  it.each(adapters)('of %s import core through its doors and no other adapter', (folder) => {
    const entries = doorsOf(folder).map((door) => `${door.split('/')[2] ?? 'index'}.ts`);
    const breaches = sourcesIn(`${folder}/src`).flatMap((source) =>
      checkAdapter(source, doorsOf(core), entries),
    );
    expect(breaches).toEqual([]);
  });

  it.each(strangers)(
    'of %s import core through its doors and no other package of the repository',
    (folder) => {
      const sources = sourcesIn(`${folder}/src`);
      expect(sources.length).toBeGreaterThan(0);
      expect(sources.flatMap((source) => checkAdapter(source, doorsOf(core), ['index.ts']))).toEqual([]);
    },
  );

  it.each(programs)('of %s import core and adapters through their doors', (folder) => {
    const allowed = [core, ...adapters].flatMap(doorsOf);
    const sources = sourcesIn(`${folder}/src`);
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.flatMap((source) => checkProgram(source, allowed, ['index.ts']))).toEqual([]);
  });

  it.each(examples)('of %s import what an application would', (folder) => {
    const allowed = ['@routine-engine/core', ...adapters.flatMap(doorsOf)];
    expect(sourcesIn(`${folder}/src`).flatMap((source) => checkExample(source, allowed))).toEqual([]);
  });
});

describe('the check of who imports whom', () => {
  it.each([
    ["import { run } from '../engine/run.js';", 'a plain import'],
    ["import type { Run } from '../engine/run.js';", 'a type-only import'],
    ["import { type Run } from '../engine/run.js';", 'an inline type import'],
    ["import '../engine/run.js';", 'an import for its side effects'],
    ["export { run } from '../engine/run.js';", 'a re-export'],
    ["export type { Run } from '../engine/run.js';", 'a type-only re-export'],
    ["export * from '../engine/run.js';", 'a re-export of everything'],
    ["export * as all from '../engine/run.js';", 'a re-export as a namespace'],
    ["const run = await import('../engine/run.js');", 'a dynamic import'],
    ['const run = await import(`../engine/run.js`);', 'a dynamic import of a template'],
    ["let run: import('../engine/run.js').Run;", 'an import type'],
    ["let run: typeof import('../engine/run.js');", 'the type of a module'],
    ["import run = require('../engine/run.js');", 'an import by require'],
    [
      "import {\n  run, // from '../model/call.js'\n} from '../engine/run.js';",
      'an import over several lines',
    ],
  ])('finds %j: %s', (text) => {
    expect(checkCore({ path: 'service/queue.ts', text: `${text}\nconst x = 1;` })).toEqual([
      "service/queue.ts:1 imports '../engine/run.js': " +
        'service may import only errors, model, events, ports, protocol, context',
    ]);
  });

  it.each([
    ["// import { run } from '../engine/run.js';", 'a comment'],
    ["const text = `import { run } from '../engine/run.js'`;", 'a string'],
    ["import { run } from './run.js';", 'the own room'],
    ["import { Call } from '../model/call.js';", 'a lower room'],
    ["import { join } from 'node:path';", 'the standard library'],
    ['const routines = await import(url);', 'a module that the user names'],
  ])('lets %j pass: %s', (text) => {
    expect(checkCore({ path: 'service/queue.ts', text: `${text}\nexport const x = 1;` })).toEqual([]);
  });

  it.each([
    ['errors/codes.ts', '../model/call.js', 'errors may import only itself'],
    ['model/call.ts', '../ports/clock.js', 'model may import only errors'],
    ['compliance/kit.ts', '../codec/codec.js', 'compliance may import only errors, model, events, ports'],
    [
      'thread/host.ts',
      '../define/registry.js',
      'thread may import only errors, model, events, ports, context',
    ],
    ['engine/run.ts', '../service/queue.js', 'engine may import only'],
    ['engine/run.ts', '../lifecycle/platform/system-clock.js', 'engine may import only'],
    ['lifecycle/platform/system-clock.ts', '../compose.js', 'lifecycle/platform may import only'],
    ['engine/run.ts', '../index.js', 'a room imports no door'],
    ['engine/run.ts', '../adapter.js', 'a room imports no door'],
    ['engine/run.ts', '../elsewhere/file.js', 'the target lies in no room'],
    ['engine/run.ts', '../../test/fixture.js', 'an import stays within the sources of its package'],
    ['engine/run.ts', '@routine-engine/store-fs', 'core imports no adapter'],
    ['index.ts', '@routine-engine/store-fs', 'core imports no adapter'],
  ])('keeps %s from %s', (path, specifier, rule) => {
    const [breach, ...others] = checkCore({
      path,
      text: `import { x } from '${specifier}';\nexport const y = x;`,
    });
    expect(breach).toContain(`${path}:1 imports '${specifier}': ${rule}`);
    expect(others).toEqual([]);
  });

  it.each([
    ['thread/guest.ts', '../define/registry.js'],
    ['thread/entry.ts', '../lifecycle/platform/system-clock.js'],
    ['lifecycle/start.ts', '../service/queue.js'],
    ['host.ts', './service/queue.js'],
    ['worker/inbox.ts', '../engine/run.js'],
  ])('lets %s import %s', (path, specifier) => {
    expect(checkCore({ path, text: `import { x } from '${specifier}';\nexport const y = x;` })).toEqual([]);
  });

  it('finds a file that lies in no room', () => {
    expect(checkCore({ path: 'misc/file.ts', text: 'export const x = 1;' })[0]).toContain('lies in no room');
    expect(checkCore({ path: 'stray.ts', text: 'export const x = 1;' })[0]).toContain('lies in no room');
  });

  it('finds a cycle in a table', () => {
    const table = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ]);
    expect(findCycle(table)).toEqual(['b', 'c', 'b']);
  });
});

describe('the check of what only some files may use', () => {
  it.each([
    ["import { container } from 'tsyringe';", 'engine/run.ts', 'lifecycle/compose.ts'],
    ["import 'reflect-metadata';", 'lifecycle/start.ts', 'lifecycle/compose.ts'],
    ["import { Subject } from 'rxjs';", 'engine/run.ts', 'events/event-feed.ts'],
    ["import { type BehaviorSubject } from 'rxjs';", 'engine/run.ts', 'events/event-feed.ts'],
    ["import { ReplaySubject as Kept } from 'rxjs';", 'engine/run.ts', 'events/event-feed.ts'],
    ["import * as rxjs from 'rxjs';", 'engine/run.ts', 'events/event-feed.ts'],
    ["let feed: import('rxjs').Subject<1>;", 'engine/run.ts', 'events/event-feed.ts'],
    ["import { Worker } from 'node:worker_threads';", 'engine/run.ts', 'thread/host.ts'],
    ["import type { Worker } from 'worker_threads';", 'engine/run.ts', 'thread/host.ts'],
    ["import { setTimeout } from 'node:timers/promises';", 'engine/run.ts', 'lifecycle/platform/clock.ts'],
    ["import { randomUUID } from 'node:crypto';", 'engine/run.ts', 'lifecycle/platform/ids.ts'],
    ["import { v7 } from 'uuid';", 'engine/run.ts', 'lifecycle/platform/ids.ts'],
  ])('keeps %j out of %s and allows it in %s', (text, path, allowed) => {
    expect(checkCore({ path, text: `${text}\nexport const x = 1;` })[0]).toContain(`${path}:1 imports`);
    expect(checkCore({ path: allowed, text: `${text}\nexport const x = 1;` })).toEqual([]);
  });

  it('lets every file import Observable, operators and hashes', () => {
    const text = `
      import { Observable, map } from 'rxjs';
      import { createHash } from 'node:crypto';
      export const x = 1;`;
    expect(checkCore({ path: 'engine/run.ts', text })).toEqual([]);
  });

  it.each([
    ['setTimeout', 'const timer = setTimeout(() => {}, 1);'],
    ['setTimeout', 'globalThis.setTimeout(() => {}, 1);'],
    ['setTimeout', 'export const clock = { setTimeout };'],
    ['setInterval', 'const start = setInterval;'],
    ['setImmediate', 'await new Promise(setImmediate);'],
    ['Date.now', 'const at = Date.now();'],
    ['Date.now', "const at = Date['now']();"],
    ['Date.now', 'const { at = Date.now() } = {};'],
    ['new Date', 'const at = new Date();'],
    ['performance.now', 'const at = performance.now();'],
    ['performance.now', 'const at = globalThis.performance.now();'],
    ['process.hrtime', 'const at = process.hrtime.bigint();'],
    ['AbortSignal.timeout', 'const signal = AbortSignal.timeout(5);'],
    ['Math.random', 'const chance = Math.random();'],
    ['crypto.randomUUID', 'const id = crypto.randomUUID();'],
  ])('finds %s in %j, except in the platform', (name, text) => {
    const source = `export const x = 1;\n${text}`;
    expect(checkCore({ path: 'engine/run.ts', text: source })).toContain(
      `engine/run.ts:2 uses ${name}: time and chance come from ports`,
    );
    expect(checkCore({ path: 'lifecycle/platform/system-clock.ts', text: source })).toEqual([]);
  });

  it.each([
    'export const timer = clock.setTimeout(() => {}, 1);',
    'export const at = this.clock.now();',
    'export interface Clock { setTimeout(f: () => void, ms: number): void }',
    'export class Fake { setTimeout() {} now = 0; }',
    'export type Timer = ReturnType<typeof setTimeout>;',
    'export const at = new Date(0);',
    'export const isDate = (value: unknown): value is Date => value instanceof Date;',
    'export const floor = Math.floor(1.5);',
    '// Date.now() would not do',
  ])('lets %j pass', (text) => {
    expect(checkCore({ path: 'engine/run.ts', text: `${text}\nexport const x = 1;` })).toEqual([]);
  });
});

describe('the check of adapters and examples', () => {
  const coreDoors = ['@routine-engine/core', '@routine-engine/core/adapter'];

  it.each([
    '@routine-engine/core/dist/engine/run.js',
    '@routine-engine/core/src/index.ts',
    '@routine-engine/store-fs',
    '../../core/src/index.js',
  ])('keeps %s out of an adapter', (specifier) => {
    const text = `import type { X } from '${specifier}';\nexport type Y = X;`;
    expect(checkAdapter({ path: 'index.ts', text }, coreDoors)).toEqual([
      expect.stringContaining(`index.ts:1 imports '${specifier}': an adapter imports core through its doors`),
    ]);
  });

  it('lets an adapter import doors of core, its own files and other packages', () => {
    const text = `
      import { provide } from '@routine-engine/core/adapter';
      import { Observable } from 'rxjs';
      import { layout } from './layout.js';
      export const x = 1;`;
    expect(checkAdapter({ path: 'store.ts', text }, coreDoors)).toEqual([]);
  });

  it('keeps inner doors and foreign folders out of an example', () => {
    const check = (specifier: string) =>
      checkExample({ path: 'main.ts', text: `import '${specifier}';` }, ['@routine-engine/core']);
    expect(check('@routine-engine/core')).toEqual([]);
    expect(check('@routine-engine/core/host')).toHaveLength(1);
    expect(check('../../../packages/core/src/index.js')).toHaveLength(1);
  });
});

describe('the check of files', () => {
  it('finds a file that is too long, and not one that just fits', () => {
    const lines = (count: number) => 'export {};\n'.repeat(count);
    expect(checkCore({ path: 'engine/run.ts', text: lines(320) })).toEqual([]);
    expect(checkCore({ path: 'engine/run.ts', text: lines(321) })).toEqual([
      'engine/run.ts has 321 lines: at most 320',
    ]);
  });

  it.each(['engine/utils.ts', 'engine/string-utils.ts', 'engine/helpers/run.ts', 'engine/run.helper.ts'])(
    'finds the empty name of %s',
    (path) => {
      expect(checkCore({ path, text: 'export const x = 1;' })[0]).toContain('name it after what it does');
    },
  );

  it('finds a barrel, by its name or by what it does', () => {
    const text = "export * from './run.js';\nexport { x } from './x.js';";
    expect(checkCore({ path: 'engine/all.ts', text })[0]).toContain('is a barrel');
    expect(checkCore({ path: 'engine/index.ts', text: 'export const x = 1;' })[0]).toContain('is a barrel');
    expect(checkAdapter({ path: 'inner/index.ts', text: 'export const x = 1;' }, [])[0]).toContain(
      'is a barrel',
    );
  });

  it('lets an entry point hand on what other files export', () => {
    const text = "export { x } from './engine/x.js';";
    expect(checkCore({ path: 'index.ts', text })).toEqual([]);
    expect(checkAdapter({ path: 'index.ts', text: "export { x } from './x.js';" }, [])).toEqual([]);
  });

  it('refuses to judge what does not parse', () => {
    expect(() => checkCore({ path: 'engine/run.ts', text: 'import {' })).toThrow('engine/run.ts');
  });
});
