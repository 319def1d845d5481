import { describe, expect, it } from 'vitest';
import {
  completeRoutineId,
  formatRoutineId,
  isFullRoutineId,
  matchesRoutineId,
  parseRoutineId,
  type NamedRoutineId,
} from '../../src/model/routine-id.js';

const named = (text: string): NamedRoutineId => parseRoutineId(text) as NamedRoutineId;

describe('a routine id', () => {
  it.each([
    ['tname:train', { form: 'name', kind: 'task', name: 'train' }],
    ['tname:train:0.0.1', { form: 'name', kind: 'task', name: 'train', version: '0.0.1' }],
    ['tname:train:1.20.3-dev', { form: 'name', kind: 'task', name: 'train', version: '1.20.3-dev' }],
    ['tname:news:train', { form: 'name', kind: 'task', project: 'news', name: 'train' }],
    [
      'tname:news:train:0.0.1',
      { form: 'name', kind: 'task', project: 'news', name: 'train', version: '0.0.1' },
    ],
    ['wfname:sweep', { form: 'name', kind: 'workflow', name: 'sweep' }],
    ['wfname:news:sweep', { form: 'name', kind: 'workflow', project: 'news', name: 'sweep' }],
    ['tdb:018f2c5e-aa11', { form: 'record', kind: 'task', record: '018f2c5e-aa11' }],
    ['wfdb:42', { form: 'record', kind: 'workflow', record: '42' }],
  ])('%s is read, and printed as it was', (text, id) => {
    expect(parseRoutineId(text)).toEqual(id);
    expect(formatRoutineId(parseRoutineId(text))).toBe(text);
  });

  it.each([
    ['', 'ROUTINE_ID_INVALID'],
    ['train', 'ROUTINE_ID_INVALID'],
    ['tname:', 'ROUTINE_ID_INVALID'],
    ['tname:x', 'ROUTINE_ID_INVALID'],
    ['tname:1train', 'ROUTINE_ID_INVALID'],
    ['tname:tr ain', 'ROUTINE_ID_INVALID'],
    ['tname:a/../b', 'ROUTINE_ID_INVALID'],
    ['tname:news:train:0.0.1:more', 'ROUTINE_ID_INVALID'],
    ['wfname:sweep:0.0.1', 'ROUTINE_ID_INVALID'],
    ['constructor:train', 'ROUTINE_ID_INVALID'],
    ['__proto__:train', 'ROUTINE_ID_INVALID'],
    ['tdb:', 'ROUTINE_ID_INVALID'],
    ['tdb:a:b', 'ROUTINE_ID_INVALID'],
    [`tname:${'a'.repeat(300)}`, 'ROUTINE_ID_INVALID'],
    ['tname:train:1.0', 'ROUTINE_VERSION_INVALID'],
    ['tname:train:01.0.0', 'ROUTINE_VERSION_INVALID'],
    ['tname:train:1.0.0-beta', 'ROUTINE_VERSION_INVALID'],
  ])('%j is refused as %s', (text, code) => {
    expect(() => parseRoutineId(text)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['tname:train', 'tname:news:train:0.0.1', true],
    ['tname:news:train', 'tname:train:0.0.1', true],
    ['tname:train:0.0.1', 'tname:news:train:0.0.1', true],
    ['tname:train:0.0.2', 'tname:news:train:0.0.1', false],
    ['tname:sport:train', 'tname:news:train:0.0.1', false],
    ['tname:sweep', 'wfname:sweep', false],
    ['tdb:42', 'tdb:42', true],
    ['tdb:42', 'tdb:43', false],
    ['tdb:42', 'tname:train', false],
  ])('%s against %s: %s', (pattern, id, matches) => {
    expect(matchesRoutineId(parseRoutineId(pattern), parseRoutineId(id))).toBe(matches);
    expect(matchesRoutineId(parseRoutineId(id), parseRoutineId(pattern))).toBe(matches);
  });

  it('has its missing parts filled in from the context', () => {
    const context = { project: 'news', version: '0.0.1' };
    expect(formatRoutineId(completeRoutineId(named('tname:train'), context))).toBe('tname:news:train:0.0.1');
    expect(formatRoutineId(completeRoutineId(named('wfname:sweep'), context))).toBe('wfname:news:sweep');
  });

  it('is full when nothing is left to fill in', () => {
    expect(isFullRoutineId(named('tname:news:train:0.0.1'))).toBe(true);
    expect(isFullRoutineId(named('tname:news:train'))).toBe(false);
    expect(isFullRoutineId(named('wfname:news:sweep'))).toBe(true);
  });

  it.each([
    ['tname:sport:train', 'project'],
    ['tname:train:0.0.2', 'version'],
  ])('%s contradicts its context, and the error names the %s', (text, part) => {
    expect(() => completeRoutineId(named(text), { project: 'news', version: '0.0.1' })).toThrow(
      expect.objectContaining({ code: 'ROUTINE_ID_CONTRADICTS', message: expect.stringContaining(part) }),
    );
  });
});
