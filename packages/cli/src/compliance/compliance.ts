import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import {
  complianceBadge,
  type ComplianceReport,
  complianceTable,
  runCompliance,
} from '@routine-engine/core/compliance';
import { EXIT } from '../exit-codes.js';
import { printable } from '../output/printable.js';
import { writeOut } from '../output/write-out.js';
import { exitCodeOfSignal, hearingStopSignals, type StopSignal } from '../stop-signals.js';
import { endWhatIsLeft } from './end-what-is-left.js';
import { kitNamed, subjectOf } from './find-subject.js';

/** Options of `routine compliance`. */
export interface ComplianceOptions {
  readonly out: string;
  readonly only?: string;
  readonly caseTimeout?: number;
  readonly json?: boolean;
}

/**
 * Runs a kit on what a module exports, and reports.
 * @returns the exit code.
 */
export async function compliance(name: string, module: string, options: ComplianceOptions): Promise<number> {
  const kit = kitNamed(name);
  const subject = await subjectOf(kit, module);
  const { only, caseTimeout } = options;
  const stopping = new AbortController();
  let stopped: StopSignal | undefined;
  const stop = (signal: StopSignal): void => {
    stopped = signal;
    stopping.abort(new Error(`It was stopped by ${signal}`));
  };
  const report = await hearingStopSignals(stop, () =>
    runCompliance(kit, subject, {
      signal: stopping.signal,
      ...(caseTimeout !== undefined && { timeoutMs: caseTimeout }),
      ...(only !== undefined && { only: (id: string) => id.startsWith(only) }),
    }),
  ).catch((error: unknown) => {
    if (stopped === undefined) throw error;
    return undefined;
  });
  const exitCode = await told(report, stopped, options);
  endWhatIsLeft(exitCode);
  return exitCode;
}

async function told(
  report: ComplianceReport | undefined,
  stopped: StopSignal | undefined,
  { out, only, json }: ComplianceOptions,
): Promise<number> {
  if (!report) {
    process.stderr.write('It was stopped, and reports nothing\n');
    return stopped === undefined ? EXIT.failed : exitCodeOfSignal(stopped);
  }
  // Of a part of the cases, the files would say more than is proven.
  if (only === undefined) await writeReport(out, report);
  await writeOut(json === true ? `${JSON.stringify(report)}\n` : printable(complianceTable(report)));
  if (report.passed + report.failed === 0) process.stderr.write('No case was run\n');
  return report.failed === 0 && report.passed > 0 ? EXIT.ok : EXIT.failed;
}

async function writeReport(folder: string, report: ComplianceReport): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'compliance.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(folder, 'compliance.svg'), complianceBadge(report));
}
