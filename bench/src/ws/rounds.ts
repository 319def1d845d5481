import { summarise, type Measured } from '../measure.js';
import type { ClientQuestion } from './duties.js';
import { ROLES, type Way, type WayReport } from './way.js';

const ROUNDS = 7;

/** What one way took, round by round. */
export interface WayRounds {
  readonly name: string;
  readonly reports: readonly WayReport[];
}

/** Starts some ways, has each do the same in turn, round by round after one that is not counted, and ends them. */
export async function rounds(
  starts: readonly (() => Promise<Way>)[],
  questionOf: (round: number) => ClientQuestion,
): Promise<WayRounds[]> {
  const ways: Way[] = [];
  try {
    for (const start of starts) ways.push(await start());
    const reports = ways.map((): WayReport[] => []);
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [index, way] of ways.entries()) {
        const report = await way.do(questionOf(round));
        if (round > 0) reports[index]?.push(report);
      }
    }
    return ways.map(({ name }, index) => ({ name, reports: reports[index] ?? [] }));
  } finally {
    for (const way of ways) await way[Symbol.asyncDispose]();
  }
}

/** One row of each way. @param of - the figure of one report. */
export function rows(
  all: readonly WayRounds[],
  what: string,
  of: (report: WayReport) => number | undefined,
): Measured[] {
  return all.map(({ name, reports }) =>
    summarise(
      what === '' ? name : `${name}, ${what}`,
      reports.map((report) => of(report) ?? Number.NaN),
    ),
  );
}

/** The processor time that each process of each way took for one of so many operations, in microseconds. */
export function processorRows(all: readonly WayRounds[], times: number, what = ''): Measured[] {
  return all.flatMap((one) =>
    ROLES.flatMap((role) =>
      rows([one], `${what}processor time of the ${role}`, ({ processor }) => processor[role] / times),
    ),
  );
}
