/**
 * The two functions of a test runner that the kits use: those of vitest, `node:test`, mocha or jest fit.
 * The kits throw plain `AssertionError`s, register everything before they return, and skip nothing.
 * @public
 */
export interface ComplianceRunner {
  readonly describe: (name: string, register: () => void) => unknown;
  readonly it: (name: string, run: () => Promise<void>) => unknown;
}
