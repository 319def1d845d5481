import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { read, root } from './documents.js';

/** A promise, and what proves it. */
interface Guarantee {
  readonly promise: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
}

const guarantees: Guarantee[] = read('docs/guarantees.md')
  .split(/\n- /)
  .slice(1)
  .map((text) => {
    const [promise = '', proof = ''] = text.split('\n  Proof: ');
    return {
      promise: promise.replaceAll(/\s+/g, ' '),
      files: [...proof.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, file = '']) => file),
      tests: [...proof.matchAll(/"([^"]+)"/g)].map(([, name = '']) => name),
    };
  });

describe('docs/guarantees.md', () => {
  it('promises something', () => {
    expect(guarantees.length).toBeGreaterThan(10);
  });

  it.each(guarantees)('$promise', ({ promise, files, tests }) => {
    expect(promise.match(/\.(\s|$)/g), 'one sentence').toHaveLength(1);
    expect(files, 'names the file of its proof').not.toEqual([]);
    for (const file of files) expect(existsSync(join(root, file)), `${file} exists`).toBe(true);
    const sources = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
    for (const name of tests) expect(sources, `a test has the name "${name}"`).toContain(`'${name}'`);
  });
});
