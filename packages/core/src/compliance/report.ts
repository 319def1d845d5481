/** What became of one case. @public */
export interface ComplianceCaseReport {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  /** The id of the promise in `docs/guarantees.md`. */
  readonly promise: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped: what the implementation does not have. */
  readonly reason?: string;
  /** How it failed. */
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string };
  /** Milliseconds that it took; 0 when it was skipped. */
  readonly durationMs: number;
}

/** How many cases there were, and what became of them. @public */
export interface ComplianceCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What became of the cases of one group. @public */
export interface ComplianceGroupReport extends ComplianceCounts {
  readonly name: string;
  readonly title: string;
}

/** What a kit found out about an implementation: plain data, as `compliance.json` has it. @public */
export interface ComplianceReport extends ComplianceCounts {
  /** Version of this form. */
  readonly format: 1;
  readonly kit: { readonly name: string; readonly version: string };
  /** Version of the contracts that the kit judges by: `ADAPTER_API_VERSION` of core. */
  readonly contract: string;
  readonly implementation: { readonly name: string; readonly version?: string };
  /** What the implementation declares. Numbers that JSON does not have are texts here. */
  readonly capabilities: Readonly<Record<string, boolean | number | string | null>>;
  /** When it began: milliseconds since 1970 (UTC). */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly node: string;
  readonly groups: readonly ComplianceGroupReport[];
  readonly cases: readonly ComplianceCaseReport[];
}

/** Counts outcomes. */
export function countsOf(cases: readonly ComplianceCaseReport[]): ComplianceCounts {
  const count = (outcome: ComplianceCaseReport['outcome']): number =>
    cases.filter((each) => each.outcome === outcome).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
}
