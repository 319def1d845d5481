import { availableParallelism, cpus } from 'node:os';
import { fsHit, memoryHit } from './cache-hit.js';
import { codecOfSmall, digestOfLarge, digestOfSmall } from './codec.js';
import { fanOutOfTenThousand } from './fan-out.js';
import { localCall } from './local-call.js';
import { heartbeat } from './large/heartbeat.js';
import { largeHitFs } from './large/hit-fs.js';
import { largeMemory } from './large/memory.js';
import { largeRelayed, largeStored } from './large/process.js';
import { largeStream } from './large/stream.js';
import { largeThread } from './large/thread.js';
import type { Measured } from './measure.js';
import type { Question } from './question.js';
import { largeHitS3, s3Hit } from './s3-hit.js';
import { idleWorkers } from './service-alone/idle-workers.js';
import { waitingRuns } from './service-alone/queue.js';
import { storeFsCacache } from './store-fs-cacache.js';
import { threadAlone, threadBusy } from './thread-dispatch.js';
import { wsAlone, wsBusy } from './ws/calls.js';
import { wsFanOut } from './ws/fan-out.js';
import { wsLarge } from './ws/large.js';

const QUESTIONS: readonly Question[] = [
  localCall,
  threadAlone,
  threadBusy,
  fanOutOfTenThousand,
  wsAlone,
  wsBusy,
  wsFanOut,
  wsLarge,
  codecOfSmall,
  digestOfSmall,
  digestOfLarge,
  memoryHit,
  fsHit,
  s3Hit,
  storeFsCacache,
  largeThread,
  largeRelayed,
  largeStored,
  largeHitFs,
  largeHitS3,
  largeMemory,
  largeStream,
  heartbeat,
  waitingRuns,
  idleWorkers,
];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !QUESTIONS.some((question) => question.name === name));
if (unknown.length > 0) {
  console.error(
    `There is no question ${unknown.join(', ')}; there is ${QUESTIONS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores\n`,
);
for (const question of QUESTIONS) {
  if (asked.length > 0 ? !asked.includes(question.name) : question.isLong) continue;
  const { measured, verdicts, unit } = await question.ask();
  console.log(
    `## ${question.title}\n\n${table(measured, unit)}\n\n${verdicts.map((line) => `- ${line}`).join('\n')}\n`,
  );
}

function table(measured: readonly Measured[], unit = 'us an operation'): string {
  const rows = measured.map(
    ({ name, median, least, most }) =>
      `| ${name} | ${median.toFixed(2)} | ${least.toFixed(2)} | ${most.toFixed(2)} |`,
  );
  return [`| contender | ${unit}, median | least | most |`, '| --- | ---: | ---: | ---: |', ...rows].join(
    '\n',
  );
}
