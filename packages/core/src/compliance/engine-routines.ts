import { currentRun } from '../context/run-scope.js';
import { define, type Task, type Workflow } from '../define/define.js';

/*
 * What the kit for engines calls. Imported only when a case begins, since a process offers all routines that it has
 * imported.
 */

const version = '1.0.0';

const add = define.task({ name: 'compliance-add', version }, (a: number, b: number) => a + b);

const double = define.task({ name: 'compliance-double', version }, (number: number) => 2 * number);

const sorted = define.task({ name: 'compliance-sorted', version }, (numbers: number[]) =>
  numbers.sort((a, b) => a - b),
);

const echo = define.task({ name: 'compliance-echo', version }, <T>(value: T) => value);

const returnsFunction = define.task({ name: 'compliance-returns-function', version }, () => ({
  fit: () => 1,
}));

/** An error with everything that one can have. */
class QuotaError extends Error {
  readonly code = 'QUOTA';
  constructor(readonly used: number) {
    super(`used ${used} of 10`, { cause: new RangeError('the disk is full') });
    this.name = 'QuotaError';
  }
}

const failing = define.task({ name: 'compliance-failing', version }, (used: number): number => {
  throw new QuotaError(used);
});

const throwsText = define.task({ name: 'compliance-throws-text', version }, (): number => {
  // oxlint-disable-next-line typescript/only-throw-error -- it is what the routine is for
  throw 'just a text';
});

const callsRoutine = define.task({ name: 'compliance-calls-routine', version }, () => add(1, 2));

/** Something else each time that it is executed. */
const executed = define.task(
  { name: 'compliance-executed', version },
  (_key: string) => `${currentRun().runId}/${currentRun().attempt}`,
);

const executedAnew = define.workflow({ name: 'compliance-executed-anew' }, async () => currentRun().runId);

/** Fails each time that it is executed, and says which run that was. */
const failsAnew = define.task({ name: 'compliance-fails-anew', version }, (): string => {
  throw new Error(currentRun().runId);
});

/** Succeeds at the third attempt. */
const third = define.task(
  { name: 'compliance-third', version, retries: { attempts: 3, backoffMs: 1 } },
  (_key: string) => {
    const { attempt } = currentRun();
    if (attempt < 3) throw new Error(`attempt ${attempt}`);
    return attempt;
  },
);

/** Waits until it is cancelled. */
const waits = define.task({ name: 'compliance-waits', version, cache: false }, () => {
  const { signal } = currentRun();
  return new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
});

const waitsInside = define.workflow({ name: 'compliance-waits-inside' }, () => waits());

const reports = define.task({ name: 'compliance-reports', version, cache: false }, () => {
  const run = currentRun();
  run.progress(1, 2);
  run.log('half-way');
  run.progress(2, 2);
  return { runId: run.runId, routineId: run.routineId, attempt: run.attempt };
});

const total = define.workflow({ name: 'compliance-total' }, async (numbers: readonly number[]) => {
  const more = await Promise.all(numbers.map((number) => add(number, 1)));
  return more.reduce((sum, number) => sum + number, 0);
});

const recovers = define.workflow({ name: 'compliance-recovers' }, async () => {
  try {
    return await failing(11);
  } catch (error) {
    const { name, message, cause } = error as Error;
    return { name, message, cause: (cause as Error).message, isError: error instanceof Error };
  }
});

const descend: Workflow<[depth: number], number> = define.workflow(
  { name: 'compliance-descend' },
  async (depth: number): Promise<number> => (depth === 0 ? 0 : 1 + (await descend(depth - 1))),
);

const tree: Workflow<[depth: number], number> = define.workflow(
  { name: 'compliance-tree' },
  async (depth: number): Promise<number> => {
    if (depth === 0) return add(0, 1);
    const [left, right] = await Promise.all([tree(depth - 1), tree(depth - 1)]);
    return left + right;
  },
);

/** Bytes with a pattern whose length is no power of two. */
const patterned = (length: number): Uint8Array =>
  new Uint8Array(
    Buffer.alloc(
      length,
      Uint8Array.from({ length: 251 }, (_, at) => at),
    ),
  );

const bytes: Task<[length: number], Uint8Array> = define.task(
  { name: 'compliance-bytes', version },
  patterned,
);

/** All of them. */
export const engineRoutines = {
  add,
  double,
  sorted,
  echo,
  returnsFunction,
  failing,
  throwsText,
  callsRoutine,
  executed,
  executedAnew,
  failsAnew,
  third,
  waits,
  waitsInside,
  reports,
  total,
  recovers,
  descend,
  tree,
  patterned,
  bytes,
};
