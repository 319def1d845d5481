import { type ComplianceKit, type ComplianceSubject, reasonAgainst } from './kit.js';
import { CLOSING_TIMEOUT_MS, DEFAULT_CASE_TIMEOUT_MS, runCase } from './run-case.js';
import type { ComplianceRunner } from './runner.js';

/** How the cases of a kit are run. @public */
export interface CaseOptions {
  /** How long one case may take, in milliseconds. Default 30,000. What it has opened is closed then, and the case fails. */
  readonly timeoutMs?: number;
}

/**
 * Makes one test of every case of a kit that applies to the subject. A case that does not apply is left out, rather than
 * skipped: `runCompliance` says why. Each case makes its own resources, so that they may run at once and in any order.
 * @public
 */
export function registerCompliance<Subject extends ComplianceSubject, Capabilities extends object, Given>(
  kit: ComplianceKit<Subject, Capabilities, Given>,
  { describe, it }: ComplianceRunner,
  subject: Subject,
  { timeoutMs = DEFAULT_CASE_TIMEOUT_MS }: CaseOptions = {},
): void {
  const capabilities = kit.capabilitiesOf(subject);
  describe(kit.title, () => {
    for (const group of kit.groups) {
      const applying = group.cases.filter((each) => reasonAgainst(group, each, capabilities) === undefined);
      if (applying.length === 0) continue;
      describe(group.title, () => {
        for (const each of applying) {
          const run = (): Promise<void> => runCase({ kit, subject, case: each }, timeoutMs);
          it(`${each.title} (${each.id})`, run, timeoutMs + 2 * CLOSING_TIMEOUT_MS);
        }
      });
    }
  });
}
