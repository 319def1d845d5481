/**
 * The two functions of a test runner that the kits use: those of vitest, `node:test`, mocha or jest fit.
 * The kits throw plain `AssertionError`s, register everything before they return, and skip nothing.
 * @public
 */
export interface ComplianceRunner {
  readonly describe: (name: string, register: () => void) => unknown;
  /**
   * Registers one case.
   * @param timeoutMs - when the runner may give the case up: later than the kit does itself, so that what a case has opened is
   *   closed. Runners that take no third argument leave it alone; mocha needs `this.timeout(0)` in the outer `describe`.
   */
  readonly it: (name: string, run: () => Promise<void>, timeoutMs: number) => unknown;
}
