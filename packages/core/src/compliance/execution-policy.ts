import assert from 'node:assert/strict';
import type { ExecutionPolicy, PolicyCall } from '../ports/execution-policy.js';
import type { ComplianceCase, ComplianceKit, ComplianceSubject } from './kit.js';
import { type CaseOptions, registerCompliance } from './register.js';
import type { ComplianceRunner } from './runner.js';

/** The policy that is judged. @public */
export interface ExecutionPolicySubject extends ComplianceSubject {
  /** Makes a policy. */
  create(): ExecutionPolicy;
  /**
   * Whether it is for a process without a service, so that it sends nothing away. Default `false`: a call whose routine is not
   * defined here has to be sent away.
   */
  readonly local?: boolean;
}

/** What one case of the kit for execution policies gets. @public */
export interface ExecutionPolicyGiven {
  readonly policy: ExecutionPolicy;
  readonly create: () => ExecutionPolicy;
}

/** What decides which cases there are for an execution policy. @public */
export interface PolicyAbilities {
  readonly local: boolean;
}

type PolicyCase = ComplianceCase<ExecutionPolicyGiven, PolicyAbilities>;

const IDS = ['tname:news:train:1.0.0', 'tname:news:train:2.0.0-dev', 'wfname:news:sweep', 'wfname:a:b'];

/** Calls of every kind. */
const calls: readonly PolicyCall[] = IDS.flatMap((routineId) =>
  [true, false].flatMap((nested) =>
    [true, false].map((defined) => ({
      routineId,
      kind: routineId.startsWith('t') ? ('task' as const) : ('workflow' as const),
      nested,
      defined,
    })),
  ),
);

const answers = (policy: ExecutionPolicy, asked: readonly PolicyCall[] = calls): unknown[] =>
  asked.map((call) => policy.decide(call));

const decisionCases: readonly PolicyCase[] = [
  {
    id: 'execution-policy/decisions/named',
    title: 'has a name that logs and errors can give',
    promise: 'policy-pure',
    run: async ({ policy, create }) => {
      assert.match(policy.name, /^[a-z][a-z0-9-]*$/);
      assert.equal(create().name, policy.name);
    },
  },
  {
    id: 'execution-policy/decisions/here-or-remote',
    title: 'says here or remote to any call, at once',
    promise: 'policy-pure',
    run: async ({ policy }) => {
      for (const [at, answer] of answers(policy).entries()) {
        assert.ok(
          answer === 'here' || answer === 'remote',
          `it says ${String(answer)} to ${JSON.stringify(calls[at])}`,
        );
      }
    },
  },
  {
    id: 'execution-policy/decisions/same-again',
    title: 'says the same of the same call, however often and in whatever order it is asked',
    promise: 'policy-pure',
    run: async ({ policy }) => {
      const first = answers(policy);
      for (let round = 0; round < 200; round += 1)
        assert.deepEqual(answers(policy), first, `in round ${round + 2}`);
      assert.deepEqual(answers(policy, calls.toReversed()).toReversed(), first, 'in another order');
    },
  },
  {
    id: 'execution-policy/decisions/same-elsewhere',
    title: 'says the same as another policy that was made alike',
    promise: 'policy-pure',
    run: async ({ policy, create }) => assert.deepEqual(answers(create()), answers(policy)),
  },
  {
    id: 'execution-policy/decisions/call-untouched',
    title: 'changes nothing of the call, and asks nothing else of it',
    promise: 'policy-pure',
    run: async ({ policy }) => {
      const known = new Set(['routineId', 'kind', 'nested', 'defined']);
      for (const call of calls) {
        const watched = new Proxy(Object.freeze({ ...call }), {
          get: (target, name) => {
            assert.ok(typeof name === 'string' && known.has(name), `it asks for ${String(name)}`);
            return target[name as keyof PolicyCall];
          },
          set: (_, name) => assert.fail(`it sets ${String(name)}`),
        });
        assert.equal(policy.decide(watched), policy.decide(call));
      }
    },
  },
];

const placementCases: readonly PolicyCase[] = [
  {
    id: 'execution-policy/placement/undefined-elsewhere',
    title: 'sends a call away whose routine is not defined here',
    promise: 'policy-possible',
    needs: ({ local }) => (local ? 'the policy is for a process without a service' : undefined),
    run: async ({ policy }) => {
      for (const call of calls.filter(({ defined }) => !defined))
        assert.equal(policy.decide(call), 'remote', JSON.stringify(call));
    },
  },
  {
    id: 'execution-policy/placement/all-here',
    title: 'sends nothing away where there is no service',
    promise: 'policy-possible',
    needs: ({ local }) => (local ? undefined : 'the policy is for a process with a service'),
    run: async ({ policy }) => {
      for (const call of calls) assert.equal(policy.decide(call), 'here', JSON.stringify(call));
    },
  },
];

/** What an `ExecutionPolicy` has to do, as data. @public */
export const executionPolicyKit: ComplianceKit<
  ExecutionPolicySubject,
  PolicyAbilities,
  ExecutionPolicyGiven
> = {
  name: 'execution-policy',
  title: 'an execution policy',
  version: '1.0.0',
  groups: [
    { name: 'decisions', title: 'decides', cases: decisionCases },
    { name: 'placement', title: 'places', cases: placementCases },
  ],
  capabilitiesOf: ({ local = false }) => ({ local }),
  prepare: (subject) => ({ policy: subject.create(), create: () => subject.create() }),
};

/**
 * Proves that an `ExecutionPolicy` keeps its promises.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest';
 * executionPolicyCompliance({ describe, it }, { create: () => heavyTasksRemote });
 * ```
 * @public
 */
export function executionPolicyCompliance(
  runner: ComplianceRunner,
  subject: ExecutionPolicySubject,
  options?: CaseOptions,
): void {
  registerCompliance(executionPolicyKit, runner, subject, options);
}
