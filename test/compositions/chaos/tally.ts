import process from 'node:process';
import type { RoundReport } from './round.ts';

interface RoundInfo {
  readonly round: number;
  readonly slots: number;
  readonly sharesStore: boolean;
  readonly rootOn: string;
  readonly seconds: number;
}

/** Adds up what became of all sweeps. */
export class Tally {
  readonly #faults: Record<string, number> = {};
  readonly #networkFaults: Record<string, number> = {};
  readonly #repeated: Record<string, number> = {};
  readonly #digests = new Set<string>();
  #sweeps = 0;
  #tasks = 0;
  #begun = 0;
  #ended = 0;
  #violations = 0;
  #seconds = 0;

  get hasViolations(): boolean {
    return this.#violations > 0 || this.#sweeps === 0;
  }

  add(report: RoundReport, info: RoundInfo): void {
    const { tasks, begun, ended, digest, violations } = report;
    this.#sweeps += 1;
    this.#tasks += tasks;
    this.#begun += begun;
    this.#ended += ended;
    this.#violations += violations.length;
    this.#seconds += info.seconds;
    if (digest !== undefined) this.#digests.add(digest);
    addTo(this.#faults, report.faults);
    addTo(this.#networkFaults, report.networkFaults);
    addTo(this.#repeated, report.repeated);
    const { round, slots, sharesStore, rootOn, seconds } = info;
    const how = `root on ${rootOn}, ${sharesStore ? 'shared store' : 'results through the service'}, slots ${slots}`;
    const what = `${tasks} tasks, ${begun} begun, ${ended} ended, ${textOf({ ...report.faults, ...report.networkFaults })}`;
    process.stderr.write(`round ${round} (${how}): ${what}, ${seconds.toFixed(0)} s\n`);
    for (const violation of violations) process.stderr.write(`  VIOLATION: ${violation}\n`);
  }

  text(seed: number, leaseMs: number): string {
    const kills = sum(this.#faults, (kind) => kind.startsWith('kill'));
    return [
      `seed ${seed}, lease ${leaseMs} ms: ${this.#sweeps} sweeps in ${(this.#seconds / 60).toFixed(1)} minutes, ${this.#violations} violations`,
      `faults survived: ${sum(this.#faults)}, of which ${kills} kills (${textOf(this.#faults)})`,
      `faults of the network survived: ${sum(this.#networkFaults)} (${textOf(this.#networkFaults)})`,
      `tasks: ${this.#tasks} results in the store; ${this.#begun} executions begun, ${this.#ended} ended`,
      `begun again after: ${textOf(this.#repeated)}`,
      `digests, as of the local run: ${[...this.#digests].join(', ')}`,
    ].join('\n');
  }
}

function addTo(total: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [kind, count] of Object.entries(counts)) total[kind] = (total[kind] ?? 0) + count;
}

function sum(
  counts: Readonly<Record<string, number>>,
  isMeant: (kind: string) => boolean = () => true,
): number {
  return Object.entries(counts).reduce((total, [kind, count]) => total + (isMeant(kind) ? count : 0), 0);
}

function textOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
}
