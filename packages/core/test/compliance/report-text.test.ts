import { describe, expect, it } from 'vitest';
import type { ComplianceReport } from '../../src/compliance/report.ts';
import { complianceBadge, complianceSummary, complianceTable } from '../../src/compliance/report-text.ts';

const report: ComplianceReport = {
  format: 1,
  kit: { name: 'transport', version: '1.0.0' },
  contract: '0.1.0',
  implementation: { name: 'transport-<x>', version: '1.0' },
  capabilities: { ordered: true },
  startedAt: 0,
  durationMs: 5,
  node: 'v20.0.0',
  passed: 2,
  failed: 1,
  skipped: 1,
  groups: [
    { name: 'lifecycle', title: 'opens and closes', passed: 2, failed: 0, skipped: 0 },
    { name: 'large', title: 'carries much', passed: 0, failed: 1, skipped: 0 },
    { name: 'resync', title: 'comes back', passed: 0, failed: 0, skipped: 1 },
  ],
  cases: [
    {
      id: 'transport/lifecycle/a',
      group: 'lifecycle',
      title: 'opens',
      promise: 'p',
      outcome: 'passed',
      durationMs: 1,
    },
    {
      id: 'transport/lifecycle/b',
      group: 'lifecycle',
      title: 'closes',
      promise: 'p',
      outcome: 'passed',
      durationMs: 1,
    },
    {
      id: 'transport/large/c',
      group: 'large',
      title: 'carries a gigabyte',
      promise: 'values-streamed',
      outcome: 'failed',
      error: { name: 'AssertionError', message: 'it lost a byte\n\n1 !== 2' },
      durationMs: 1,
    },
    {
      id: 'transport/resync/d',
      group: 'resync',
      title: 'comes back',
      promise: 'p',
      outcome: 'skipped',
      reason: 'it is not abortable',
      durationMs: 0,
    },
  ],
};

describe('a report', () => {
  it('is one line: of the cases that apply, how many passed in each group', () => {
    expect(complianceSummary(report)).toBe('transport-<x> 1.0: lifecycle 2/2, large 0/1');
    expect(complianceSummary({ ...report, groups: [] })).toBe('transport-<x> 1.0: no case applies');
  });

  it('is a table with what failed and how, and what was skipped and why', () => {
    expect(complianceTable(report)).toBe(`transport-<x> 1.0 by the kit transport 1.0.0, contract 0.1.0

group      passed  skipped
lifecycle  2/2     0        opens and closes
large      0/1     0        carries much
resync     0/0     1        comes back

FAILED transport/large/c: carries a gigabyte
  promise: values-streamed
  it lost a byte

  1 !== 2

skipped transport/resync/d: it is not abortable

2 passed, 1 failed, 1 skipped
`);
  });

  it('is a badge that nothing has to be fetched for', () => {
    const badge = complianceBadge(report);
    expect(badge).toContain('aria-label="transport-&lt;x&gt; 1.0: transport compliance 1.0.0: 2/3"');
    expect(badge).toContain('#b60205');
    expect(badge).not.toMatch(/<x>|href|url\(|@import/);
    expect(complianceBadge({ ...report, failed: 0 })).not.toContain('#b60205');
  });
});
