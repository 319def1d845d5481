/**
 * The rooms of `packages/core/src` and who may look into which. An import against this table is a design error:
 * move the code, or change the table together with ARCHITECTURE.md.
 */

/** From low to high: a room may import every room that stands before it. */
const ladder = [
  'errors',
  'model',
  'events',
  'ports',
  'context',
  'define',
  'codec',
  'cache',
  'policy',
  'protocol',
  'dispatch',
  'thread',
  'engine',
  'worker',
] as const;

/** Rooms that stand beside the ladder, or that may do less than their place on it allows. */
const narrower: Readonly<Record<string, readonly string[]>> = {
  // The service relays what it need not understand: it knows directives, not values or routines.
  service: ['errors', 'model', 'events', 'ports', 'protocol', 'context'],
  // What runs on a background thread is loaded by every thread: it stays small.
  thread: ['errors', 'model', 'events', 'ports', 'context', 'codec', 'protocol'],
  // The kits judge implementations of ports, ours included, so they may not lean on ours.
  compliance: ['errors', 'model', 'events', 'ports'],
  // Real clocks, chance and ids. Parts get them through ports; only what composes parts may name them.
  'lifecycle/platform': ['errors', 'model', 'events', 'ports'],
  lifecycle: [...ladder, 'service', 'lifecycle/platform'],
};

/** For each room, the rooms that it may import besides itself. */
export const rooms: ReadonlyMap<string, readonly string[]> = new Map(
  [...new Set([...ladder, ...Object.keys(narrower)])].map((room) => [
    room,
    narrower[room] ?? ladder.slice(0, ladder.indexOf(room as (typeof ladder)[number])),
  ]),
);

/** Single files that may import more than their room. */
export const roomExceptions: readonly { files: RegExp; mayImport: readonly string[] }[] = [
  // A thread starts with nothing: its entry composes the guest and loads the routines, as `lifecycle` does in a process.
  { files: /^thread\/(entry|guest[^/]*)\.ts$/, mayImport: ['define', 'lifecycle/platform'] },
  // A case that hangs is given up by the time of the machine that it runs on, and waits for that: it is a test, not a part.
  { files: /^compliance\/(run-(case|compliance)|turns)\.ts$/, mayImport: ['lifecycle/platform'] },
  // A serializer is judged by what a codec does with it, unless the subject brings another.
  { files: /^compliance\/serializer\.ts$/, mayImport: ['codec'] },
  // An engine is judged as applications have it: composed by a lifecycle, called through routines.
  { files: /^compliance\/engine[^/]*\.ts$/, mayImport: ['context', 'define', 'lifecycle'] },
];

/** The public entry points. They may import any room; no room imports them. */
export const doors: readonly string[] = ['index.ts', 'adapter.ts', 'host.ts', 'compliance.ts'];

/** What only some files of core may import or name. `names` limits a rule to some exports of the module. */
export const restrictedImports: readonly {
  module: RegExp;
  names?: readonly string[];
  files: RegExp;
  rule: string;
}[] = [
  {
    module: /^(tsyringe|reflect-metadata)(\/|$)/,
    files: /^lifecycle\/compose\.ts$/,
    rule: 'only lifecycle/compose.ts knows the container',
  },
  {
    module: /^rxjs(\/|$)/,
    names: ['Subject', 'BehaviorSubject', 'ReplaySubject', 'AsyncSubject', '*'],
    files: /^events\//,
    rule: 'only events/ owns Subjects, and others import what they need from rxjs by name',
  },
  {
    module: /^(node:)?worker_threads$/,
    files: /^thread\//,
    rule: 'only thread/ starts background threads',
  },
  {
    module: /^(node:)?timers(\/promises)?$/,
    files: /^lifecycle\/platform\//,
    rule: 'time comes from the Clock port',
  },
  {
    module: /^(node:)?perf_hooks$/,
    names: ['performance', '*'],
    files: /^lifecycle\/platform\//,
    rule: 'time comes from the Clock port',
  },
  {
    module: /^(node:)?crypto$/,
    names: ['randomUUID', 'randomBytes', 'randomInt', 'randomFill', 'randomFillSync', 'getRandomValues', '*'],
    files: /^lifecycle\/platform\//,
    rule: 'chance comes from the Random and Ids ports',
  },
  {
    module: /^uuid$/,
    files: /^(lifecycle\/platform|model)\//,
    rule: 'ids come from the Ids port',
  },
];

/** Time and chance that core takes from ports only, so that a simulation owns them. */
export const restrictedGlobals: readonly string[] = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'Date.now',
  'new Date',
  'performance.now',
  'process.hrtime',
  'process.uptime',
  'AbortSignal.timeout',
  'Math.random',
  'crypto.randomUUID',
  'crypto.getRandomValues',
];

/** The implementations of the Clock, Random and Ids ports: the files that may use {@link restrictedGlobals}. */
export const platformFiles = /^lifecycle\/platform\/[^/]+\.ts$/;

/** A file longer than this has more than one reason to exist. */
export const maxLines = 320;

/** A name that says nothing about what is inside. */
export const emptyNames = /(^|[-.])(utils?|helpers?)($|[-.])/;
