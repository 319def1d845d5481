import type { ComplianceRunner } from '../../src/compliance/runner.ts';

/** Runs a kit on its own. @returns the names of the cases that fail, in order, with how. */
export async function failuresOf(kit: (runner: ComplianceRunner) => void): Promise<Map<string, unknown>> {
  const cases: { name: string; run: () => Promise<void> }[] = [];
  kit({
    describe: (_, register) => register(),
    it: (name, run) => cases.push({ name, run }),
  });
  const failures = new Map<string, unknown>();
  for (const { name, run } of cases) {
    await run().catch((error: unknown) => failures.set(name, error));
  }
  return failures;
}
