import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import type { CaseResources } from '../../src/compliance/case-resources.ts';
import type { ComplianceCase, ComplianceKit, ComplianceSubject } from '../../src/compliance/kit.ts';
import { registerCompliance } from '../../src/compliance/register.ts';
import { runCompliance } from '../../src/compliance/run-compliance.ts';

/** Something that says a number, and is closed. */
interface Sayer extends ComplianceSubject {
  readonly capabilities: { readonly largest: number; readonly loud: boolean };
  readonly say?: () => number;
  readonly closed?: string[];
}

interface Given {
  readonly say: () => number;
  readonly resources: CaseResources;
}

type SayerCase = ComplianceCase<Given, Sayer['capabilities']>;

function kitOf(...cases: SayerCase[]): ComplianceKit<Sayer, Sayer['capabilities'], Given> {
  return {
    name: 'sayer',
    title: 'a sayer',
    version: '1.2.0',
    groups: [{ name: 'numbers', title: 'says numbers', cases }],
    capabilitiesOf: ({ capabilities }) => capabilities,
    prepare: ({ say = () => 1, closed }, resources) => {
      resources.defer(() => closed?.push('sayer'));
      return { say, resources };
    },
  };
}

function caseOf(name: string, run: SayerCase['run'], needs?: SayerCase['needs']): SayerCase {
  return {
    id: `sayer/numbers/${name}`,
    title: `says ${name}`,
    promise: 'said',
    run,
    ...(needs && { needs }),
  };
}

const ONE = caseOf('one', async ({ say }) => assert.equal(say(), 1));
const LOUD = caseOf(
  'loudly',
  async () => {},
  ({ loud }) => (loud ? undefined : 'it is not loud'),
);
const QUIET: Sayer = { capabilities: { largest: Infinity, loud: false } };

describe('runCompliance', () => {
  it('reports what passed, what failed and why, what was skipped and why, and what it was told of the subject', async () => {
    const two = caseOf('two', async ({ say }) => assert.equal(say(), 2));
    const seen: string[] = [];
    const subject = { ...QUIET, implementation: { name: 'my-sayer', version: '1.0.0' } };
    const report = await runCompliance(kitOf(ONE, two, LOUD), subject, {
      onCase: ({ id, outcome }) => seen.push(`${id} ${outcome}`),
    });

    expect(report).toMatchObject({
      format: 1,
      kit: { name: 'sayer', version: '1.2.0' },
      contract: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      implementation: { name: 'my-sayer', version: '1.0.0' },
      capabilities: { largest: 'Infinity', loud: false },
      passed: 1,
      failed: 1,
      skipped: 1,
      groups: [{ name: 'numbers', title: 'says numbers', passed: 1, failed: 1, skipped: 1 }],
    });
    expect(report.cases.map(({ id, outcome, reason }) => [id, outcome, reason])).toEqual([
      ['sayer/numbers/one', 'passed', undefined],
      ['sayer/numbers/two', 'failed', undefined],
      ['sayer/numbers/loudly', 'skipped', 'it is not loud'],
    ]);
    expect(report.cases[1]?.error).toMatchObject({
      name: 'AssertionError',
      message: expect.stringContaining('1 !== 2') as string,
    });
    expect(seen).toEqual([
      'sayer/numbers/one passed',
      'sayer/numbers/two failed',
      'sayer/numbers/loudly skipped',
    ]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('fails a case that hangs with its id, closes what it opened, and goes on', async () => {
    const closed: string[] = [];
    const hanging = caseOf('nothing', ({ resources }) => {
      resources.defer(() => closed.push('later'));
      return new Promise(() => {});
    });
    const report = await runCompliance(kitOf(hanging, ONE), { ...QUIET, closed }, { timeoutMs: 20 });

    expect(report.cases[0]?.error?.message).toBe('sayer/numbers/nothing was not over within 20 ms');
    expect(report).toMatchObject({ passed: 1, failed: 1 });
    expect(closed).toEqual(['later', 'sayer', 'sayer']);
  });

  it('closes at once what a case opens after it was given up', async () => {
    let resources!: CaseResources;
    const hanging = caseOf('nothing', (given) => {
      ({ resources } = given);
      return new Promise(() => {});
    });
    await runCompliance(kitOf(hanging), QUIET, { timeoutMs: 1 });

    expect(resources.signal.aborted).toBe(true);
    await new Promise<void>((resolve) => resources.defer(resolve));
  });

  it('fails a case whose resources fail to close, and closes the others', async () => {
    const closed: string[] = [];
    const leaving = caseOf('goodbye', async ({ resources }) => {
      resources.defer(() => Promise.reject(new Error('it is stuck')));
    });
    const report = await runCompliance(kitOf(leaving), { ...QUIET, closed });

    expect(report.cases[0]).toMatchObject({ outcome: 'failed', error: { message: 'it is stuck' } });
    expect(closed).toEqual(['sayer']);
  });

  it('reports how a case failed, not what failed to close after that', async () => {
    const leaving = caseOf('goodbye', async ({ resources }) => {
      resources.defer(() => Promise.reject(new Error('it is stuck')));
      throw new TypeError('it said nothing');
    });
    const report = await runCompliance(kitOf(leaving), QUIET);

    expect(report.cases[0]?.error).toMatchObject({ name: 'TypeError', message: 'it said nothing' });
  });

  it('ends with the reason of the signal, and closes what the case in hand has opened', async () => {
    const closed: string[] = [];
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const hanging = caseOf('nothing', () => {
      controller.abort(reason);
      return new Promise(() => {});
    });
    const run = runCompliance(kitOf(hanging, ONE), { ...QUIET, closed }, { signal: controller.signal });

    await expect(run).rejects.toBe(reason);
    expect(closed).toEqual(['sayer']);
  });

  it('runs the cases alone that it is asked for', async () => {
    const report = await runCompliance(kitOf(ONE, LOUD), QUIET, { only: (id) => id.endsWith('/one') });

    expect(report.cases.map(({ id }) => id)).toEqual(['sayer/numbers/one']);
  });
});

describe('registerCompliance', () => {
  it('makes one test of each case that applies, under its title and id, and skips none', async () => {
    const names: string[] = [];
    const runs: (() => Promise<void>)[] = [];
    registerCompliance(
      kitOf(ONE, LOUD),
      {
        describe: (name, register) => {
          names.push(name);
          register();
        },
        it: (name, run, timeoutMs) => {
          names.push(name);
          runs.push(run);
          expect(timeoutMs).toBeGreaterThan(30_000);
        },
      },
      { ...QUIET, say: () => 2 },
    );

    expect(names).toEqual(['a sayer', 'says numbers', 'says one (sayer/numbers/one)']);
    await expect(runs[0]?.()).rejects.toThrow('2 !== 1');
  });
});
