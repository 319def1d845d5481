import { beforeAll, expect, it } from 'vitest';
import { messagePipeKit } from '../../src/compliance/message-pipe.ts';
import type { MessagePipeSubject, OpenPipe } from '../../src/compliance/message-pipe-subject.ts';
import type { ComplianceCaseReport } from '../../src/compliance/report.ts';
import { runCompliance } from '../../src/compliance/run-compliance.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { BROKEN_PIPES, wrapped } from './broken-pipes.ts';

type Make = () => OpenPipe & { readonly cut: () => void };

/** All but one, which would take as long as all others: what it asks for, others ask for with less. */
const IDS = messagePipeKit.groups
  .flatMap(({ cases }) => cases.map(({ id }) => id))
  .filter((id) => id !== 'message-pipe/framing/256-mib');

/** The cases that fail. */
async function failures(
  make: Make,
  ids: readonly string[],
  timeoutMs: number,
): Promise<ComplianceCaseReport[]> {
  const subject: MessagePipeSubject<ReturnType<Make>> = {
    capabilities: { largestMessageBytes: LIMITS.chunkBytes },
    create: make,
    cut: (pipe) => pipe.cut(),
  };
  const only = (id: string): boolean => ids.includes(id);
  const { cases } = await runCompliance(messagePipeKit, subject, { timeoutMs, only });
  return cases.filter(({ outcome }) => outcome === 'failed');
}

const hangs = ({ error }: ComplianceCaseReport): boolean => error?.message.includes('was not over') === true;

const failed = new Map<string, string[]>();

type Suspect = readonly [what: string, make: Make];

/** Adds what fails. @returns what only took too long. */
async function judge([what, make]: Suspect, ids: readonly string[], timeoutMs: number): Promise<string[]> {
  const found = await failures(make, ids, timeoutMs);
  const known = failed.get(what) ?? [];
  failed.set(what, [...known, ...found.filter((each) => !hangs(each)).map(({ id }) => id)]);
  return found.filter(hangs).map(({ id }) => id);
}

beforeAll(async () => {
  const suspects: Suspect[] = [
    ['is sound', wrapped((end) => end)],
    ...BROKEN_PIPES.map(([what, make]) => [what, make] as const),
  ];
  const late: string[][] = [];
  for (const each of suspects) late.push(await judge(each, IDS, 500));
  // What took long may only have waited for others.
  const looks = suspects.map(async (each, at) => {
    const ids = late[at] ?? [];
    const hanging = await Promise.all(ids.map((id) => judge(each, [id], 5_000)));
    failed.get(each[0])?.push(...hanging.flat());
  });
  await Promise.all(looks);
}, 120_000);

const failedOf = (what: string): string[] => IDS.filter((id) => failed.get(what)?.includes(id));

it('finds nothing wrong with a pipe that keeps its promises', () => {
  expect(failedOf('is sound')).toEqual([]);
});

it.each(BROKEN_PIPES)('catches a pipe that %s', (what, _make, ids) => {
  expect(failedOf(what)).toEqual(ids);
});
