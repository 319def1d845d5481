import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as compliance from '@routine-engine/core/compliance';
import { describe, expect, it } from 'vitest';
import { read, root } from './documents.js';

/** A promise, and what proves it. */
interface Guarantee {
  /** Its lasting name. */
  readonly id: string | undefined;
  readonly promise: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
}

const guarantees: Guarantee[] = read('docs/guarantees.md')
  .split(/\n- /)
  .slice(1)
  .map((text) => {
    const [named = '', proof = ''] = text.split('\n  Proof: ');
    const [, id, promise = ''] = /^(?:`([a-z0-9-]+)`: )?(.*)$/s.exec(named) ?? [];
    return {
      id,
      promise: promise.replaceAll(/\s+/g, ' '),
      files: [...proof.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, file = '']) => file),
      tests: [...proof.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name),
    };
  });

const kits = compliance.complianceKits;

describe('docs/guarantees.md', () => {
  it('promises something', () => {
    expect(guarantees.length).toBeGreaterThan(10);
  });

  it.each(guarantees)('$promise', ({ id, promise, files, tests }) => {
    expect(id, 'has a name before it, such as `own-value`').toBeDefined();
    expect(promise.match(/\.(\s|$)/g), 'one sentence').toHaveLength(1);
    expect(files, 'names the file of its proof').not.toEqual([]);
    for (const file of files) expect(existsSync(join(root, file)), `${file} exists`).toBe(true);
    const sources = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
    for (const name of tests) expect(sources, `a test has the name "${name}"`).toContain(`'${name}'`);
  });

  it('gives no two promises one name', () => {
    const ids = guarantees.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  it.each(kits)('has every promise that the kit $name proves', ({ groups }) => {
    const ids = new Set(guarantees.map(({ id }) => id));
    const cases = groups.flatMap((group) => group.cases);
    expect(
      cases.filter(({ promise }) => !ids.has(promise)).map(({ id, promise }) => `${id}: ${promise}`),
    ).toEqual([]);
  });
});

describe('a compliance kit', () => {
  it('is among all kits', () => {
    const exported = Object.entries(compliance).filter(([name]) => name.endsWith('Kit'));
    expect(exported.map(([, kit]) => (kit as compliance.ComplianceKit).name).toSorted()).toEqual(
      kits.map(({ name }) => name).toSorted(),
    );
  });

  it.each(kits)(
    '$name names each of its cases after itself, its group and what it is about, once',
    ({ name, groups }) => {
      const ids = groups.flatMap((group) =>
        group.cases.map(({ id }) => {
          expect(id).toMatch(/^[a-z]+(-[a-z]+)*\/[a-z0-9]+(-[a-z0-9]+)*\/[a-z0-9]+(-[a-z0-9]+)*$/);
          expect(id.startsWith(`${name}/${group.name}/`), id).toBe(true);
          return id;
        }),
      );
      expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    },
  );
});
