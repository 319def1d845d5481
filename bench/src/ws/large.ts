import { summarise, type Measured } from '../measure.js';
import { memoryOf, resetPeak } from '../processes/process-memory.js';
import { speedRatio, speeds, type Question } from '../question.js';
import { processorRows, rounds, rows } from './rounds.js';
import { RAW, Way } from './way.js';

const MEBIBYTES = 256;
const BYTES = MEBIBYTES * 1024 * 1024;
const MEMORY_ROUNDS = 5;
/** What each process may need beside the value itself, in MiB. */
const FIGURES = { client: 32, service: 16, workers: 32 } as const;
type Role = keyof typeof FIGURES;
const ROLES = Object.keys(FIGURES) as Role[];
const WAYS = [() => Way.engine(1, true), () => Way.raw(1, { isCorked: false })];
const WAY_NAMES = ['routine engine', RAW];

type Extra = Record<Role, number>;

/** By how much each process grew beside the value: the worker has it once, and the client. In new processes each time. */
async function extraMemory(start: () => Promise<Way>): Promise<Extra> {
  await using way = await start();
  await way.do({ kind: 'calls', times: 1, width: 1 });
  const pidOf = (role: Role): number => way.processes[role][0]?.pid ?? Number.NaN;
  const before = { client: 0, service: 0, workers: 0 };
  for (const role of ROLES) {
    before[role] = (await memoryOf(pidOf(role))).now;
    await resetPeak(pidOf(role));
  }
  await way.do({ kind: 'large', byteLength: BYTES, seed: 1, isMoved: true });
  const extra = { client: -MEBIBYTES, service: 0, workers: -MEBIBYTES };
  for (const role of ROLES) extra[role] += (await memoryOf(pidOf(role))).peak - before[role];
  return extra;
}

async function memoryRows(): Promise<Measured[]> {
  const extras = WAYS.map((): Extra[] => []);
  for (let round = 0; round < MEMORY_ROUNDS; round += 1)
    for (const [index, start] of WAYS.entries()) extras[index]?.push(await extraMemory(start));
  return WAY_NAMES.flatMap((name, index) =>
    ROLES.map((role) =>
      summarise(
        `${name}, MiB of memory of the ${role} beside the value`,
        (extras[index] ?? []).map((each) => each[role]),
      ),
    ),
  );
}

export const wsLarge: Question = {
  name: 'ws-large',
  title: `A result of ${MEBIBYTES} MiB from another process, through the service, by WebSocket`,
  async ask() {
    const all = await rounds(WAYS, (round) => ({ kind: 'large', byteLength: BYTES, seed: round + 1 }));
    const speed = speeds(
      rows(all, '', ({ microseconds }) => microseconds),
      MEBIBYTES,
    );
    const memory = await memoryRows();
    return {
      measured: [...speed, ...processorRows(all, 1_000).map(inMilliseconds), ...memory],
      unit: 'MiB/s unless said otherwise',
      verdicts: [
        speedRatio(speed, RAW, '>= 0.7'),
        ...ROLES.map(
          (role, index) =>
            `${memory[index]?.name}: ${memory[index]?.median.toFixed(0)} (to reach: <= ${FIGURES[role]})`,
        ),
      ],
    };
  },
};

function inMilliseconds(measured: Measured): Measured {
  return { ...measured, name: `${measured.name}, ms` };
}
