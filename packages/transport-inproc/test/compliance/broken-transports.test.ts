import {
  runCompliance,
  transportKit,
  type ComplianceCaseReport,
  type TransportSubject,
} from '@routine-engine/core/compliance';
import type { Transport } from '@routine-engine/core/adapter';
import { beforeAll, expect, it } from 'vitest';
import { BROKEN_TRANSPORTS } from './broken-transports.ts';
import { WrappedTransport } from './wrapped.ts';

const IDS = transportKit.groups.flatMap(({ cases }) => cases.map(({ id }) => id));
let listeners = 0;

function subjectOf(make: () => Transport): TransportSubject {
  return {
    capabilities: { ordered: true, largestBodyBytes: Number.POSITIVE_INFINITY, sharesMemory: true },
    create: () => ({ listening: make(), address: () => `inproc:service-${(listeners += 1)}` }),
  };
}

/** The cases that fail. All are run at once, so that those that hang do so together. */
async function failures(
  make: () => Transport,
  ids: readonly string[],
  timeoutMs: number,
): Promise<ComplianceCaseReport[]> {
  const run = (id: string) =>
    runCompliance(transportKit, subjectOf(make), { timeoutMs, only: (each) => each === id });
  const reports = await Promise.all(ids.map(run));
  return reports.flatMap(({ cases }) => cases).filter(({ outcome }) => outcome === 'failed');
}

const hangs = ({ error }: ComplianceCaseReport): boolean => error?.message.includes('was not over') === true;

const failed = new Map<string, string[]>();

beforeAll(async () => {
  const suspects: [string, () => Transport, string[]][] = [];
  for (const [what, make] of [['is sound', () => new WrappedTransport()] as const, ...BROKEN_TRANSPORTS]) {
    const found = await failures(make, IDS, 1_000);
    failed.set(
      what,
      found.filter((each) => !hangs(each)).map(({ id }) => id),
    );
    suspects.push([what, make, found.filter(hangs).map(({ id }) => id)]);
  }
  // What took long may only have waited for others.
  const look = async ([what, make, ids]: (typeof suspects)[number], isOfLeaks: boolean): Promise<void> => {
    const some = ids.filter((id) => id.startsWith('transport/leaks/') === isOfLeaks);
    const hanging = await failures(make, some, 4_000);
    failed.get(what)?.push(...hanging.map(({ id }) => id));
  };
  await Promise.all(suspects.map((each) => look(each, false)));
  // These look at the process, which all have in common.
  for (const each of suspects) await look(each, true);
}, 120_000);

const failedOf = (what: string): string[] => IDS.filter((id) => failed.get(what)?.includes(id));

it('finds nothing wrong with a transport that keeps its promises', () => {
  expect(failedOf('is sound')).toEqual([]);
});

it.each(BROKEN_TRANSPORTS)('catches a transport that %s', (what, _make, ids) => {
  expect(failedOf(what)).toEqual(ids);
});
