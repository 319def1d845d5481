import { describe, expect, it } from 'vitest';
import { executionPolicyCompliance, executionPolicyKit } from '../../src/compliance/execution-policy.ts';
import { everythingHere, everythingRemote, subRoutinesRemote } from '../../src/policy/execution-policies.ts';
import type { ExecutionPolicy } from '../../src/ports/execution-policy.ts';
import { failedCases } from './failed-cases.ts';

describe.each([everythingRemote, subRoutinesRemote])('$name', (policy) => {
  executionPolicyCompliance({ describe, it }, { create: () => policy });
});

describe('everything-here', () => {
  executionPolicyCompliance({ describe, it }, { create: () => everythingHere, local: true });
});

let policies = 0;
const DECISIONS = 'execution-policy/decisions';

const BROKEN: readonly (readonly [what: string, ids: readonly string[], create: () => ExecutionPolicy])[] = [
  ['has no name', [`${DECISIONS}/named`], () => ({ ...everythingRemote, name: '' })],
  [
    'says nothing of workflows',
    [`${DECISIONS}/here-or-remote`, 'execution-policy/placement/undefined-elsewhere'],
    () => ({ name: 'silent', decide: ({ kind }) => (kind === 'task' ? 'remote' : (undefined as never)) }),
  ],
  [
    'takes turns',
    [`${DECISIONS}/same-again`, `${DECISIONS}/call-untouched`],
    () => {
      let asked = 0;
      return {
        name: 'turns',
        decide: ({ defined }) => (defined && (asked += 1) % 3 === 0 ? 'here' : 'remote'),
      };
    },
  ],
  [
    'depends on how many there are',
    [`${DECISIONS}/same-elsewhere`],
    () => {
      policies += 1;
      const isOdd = policies % 2 === 1;
      return { name: 'counting', decide: ({ defined }) => (defined && isOdd ? 'here' : 'remote') };
    },
  ],
  [
    'marks calls',
    [`${DECISIONS}/call-untouched`],
    () => ({
      name: 'marking',
      decide: (call) => {
        Reflect.set(call, 'nested', call.nested);
        return 'remote';
      },
    }),
  ],
  [
    'runs here what is not here',
    ['execution-policy/placement/undefined-elsewhere'],
    () => ({ name: 'hopeful', decide: ({ nested }) => (nested ? 'remote' : 'here') }),
  ],
];

describe('the kit for execution policies', () => {
  it.each(BROKEN)('catches a policy that %s, by exactly these cases', async (_, ids, create) => {
    expect(await failedCases(executionPolicyKit, { create })).toEqual(ids);
  });

  it('catches a policy that sends calls away where there is no service', async () => {
    const subject = { create: () => subRoutinesRemote, local: true };
    expect(await failedCases(executionPolicyKit, subject)).toEqual(['execution-policy/placement/all-here']);
  });
});
