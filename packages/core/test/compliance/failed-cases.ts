import type { ComplianceKit, ComplianceSubject } from '../../src/compliance/kit.ts';
import { reasonAgainst } from '../../src/compliance/kit.ts';
import { runCompliance } from '../../src/compliance/run-compliance.ts';

/**
 * Runs a kit on its own.
 * @param only - the id of the one case that is run; default all.
 * @returns the ids of the cases that fail, in order.
 */
export async function failedCases<Subject extends ComplianceSubject, Capabilities extends object, Given>(
  kit: ComplianceKit<Subject, Capabilities, Given>,
  subject: Subject,
  only?: string,
): Promise<string[]> {
  const options = only === undefined ? {} : { only: (id: string): boolean => id === only };
  const { cases } = await runCompliance(kit, subject, options);
  return cases.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id);
}

/** The ids of the cases that a kit has for a subject. */
export function casesFor<Subject extends ComplianceSubject, Capabilities extends object, Given>(
  kit: ComplianceKit<Subject, Capabilities, Given>,
  subject: Subject,
): string[] {
  const capabilities = kit.capabilitiesOf(subject);
  return kit.groups.flatMap((group) =>
    group.cases.filter((each) => reasonAgainst(group, each, capabilities) === undefined).map(({ id }) => id),
  );
}
