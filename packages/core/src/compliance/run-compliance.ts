import { systemClock } from '../lifecycle/platform/system-clock.js';
import { ADAPTER_API_VERSION } from '../ports/plugin.js';
import { type ComplianceCase, type ComplianceKit, type ComplianceSubject, reasonAgainst } from './kit.js';
import type { CaseOptions } from './register.js';
import { type ComplianceCaseReport, type ComplianceReport, countsOf } from './report.js';
import { DEFAULT_CASE_TIMEOUT_MS, runCase } from './run-case.js';

/** How a kit is run without a test runner. @public */
export interface ComplianceOptions extends CaseOptions {
  /** Ends the run: what the case in hand has opened is closed, and the run rejects with the reason. */
  readonly signal?: AbortSignal;
  /** Called when a case is over or was skipped. */
  readonly onCase?: (report: ComplianceCaseReport) => void;
  /** Which cases are run: those whose id this says yes to. The others are no part of the report. Default: all. */
  readonly only?: (id: string) => boolean;
}

/**
 * Runs every case of a kit that applies to the subject, one after the other. A case that fails is part of the report; the
 * next ones still run.
 * @throws the reason of `signal`.
 * @public
 */
export async function runCompliance<Subject extends ComplianceSubject, Capabilities extends object, Given>(
  kit: ComplianceKit<Subject, Capabilities, Given>,
  subject: Subject,
  options: ComplianceOptions = {},
): Promise<ComplianceReport> {
  const { only = () => true, onCase, signal } = options;
  const [startedAt, began] = [systemClock.now(), systemClock.monotonic()];
  const capabilities = kit.capabilitiesOf(subject);
  const reports: ComplianceCaseReport[] = [];
  for (const group of kit.groups) {
    for (const each of group.cases.filter(({ id }) => only(id))) {
      signal?.throwIfAborted();
      const { id, title, promise } = each;
      const what = { id, group: group.name, title, promise };
      const reason = reasonAgainst(group, each, capabilities);
      const became = reason === undefined ? await outcomeOf(kit, subject, each, options) : skipped(reason);
      const report = { ...what, ...became };
      reports.push(report);
      onCase?.(report);
    }
  }
  const { name, version } = kit;
  return {
    format: 1,
    kit: { name, version },
    contract: ADAPTER_API_VERSION,
    implementation: subject.implementation ?? { name },
    capabilities: plainOf(capabilities),
    startedAt,
    durationMs: systemClock.monotonic() - began,
    node: process.version,
    ...countsOf(reports),
    groups: kit.groups.map((group) => {
      const cases = reports.filter((each) => each.group === group.name);
      return { name: group.name, title: group.title, ...countsOf(cases) };
    }),
    cases: reports,
  };
}

type Outcome = Pick<ComplianceCaseReport, 'outcome' | 'reason' | 'error' | 'durationMs'>;

function skipped(reason: string): Outcome {
  return { outcome: 'skipped', reason, durationMs: 0 };
}

async function outcomeOf<Subject extends ComplianceSubject, Capabilities extends object, Given>(
  kit: ComplianceKit<Subject, Capabilities, Given>,
  subject: Subject,
  each: ComplianceCase<Given, Capabilities>,
  { timeoutMs = DEFAULT_CASE_TIMEOUT_MS, signal }: ComplianceOptions,
): Promise<Outcome> {
  const began = systemClock.monotonic();
  const took = (): number => systemClock.monotonic() - began;
  try {
    await runCase({ kit, subject, case: each }, timeoutMs, signal);
    return { outcome: 'passed', durationMs: took() };
  } catch (error) {
    // Not a failure of the case: it was not let end.
    signal?.throwIfAborted();
    return { outcome: 'failed', error: errorOf(error), durationMs: took() };
  }
}

function errorOf(error: unknown): NonNullable<ComplianceCaseReport['error']> {
  if (!(error instanceof Error))
    return { name: 'Error', message: `It threw ${String(error)}, which is no error` };
  const { name, message, stack } = error;
  return { name, message, ...(stack !== undefined && { stack }) };
}

function plainOf(capabilities: object): ComplianceReport['capabilities'] {
  const plain = (value: unknown): boolean | number | string | null => {
    if (typeof value === 'boolean' || typeof value === 'string') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
    return value === undefined || value === null ? null : JSON.stringify(value);
  };
  return Object.fromEntries(Object.entries(capabilities).map(([name, value]) => [name, plain(value)]));
}
