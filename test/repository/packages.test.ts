import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './documents.js';

interface Manifest {
  readonly name: string;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const packages = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'package.json')),
);
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const manifest = (path: string) => JSON.parse(read(path)) as Manifest;

/** They compose adapters, which come with them. */
const programs = ['cli'];
/** It makes projects that depend on the others, and has a name that `npm create` knows. */
const generator = 'create';

describe.each(packages)('packages/%s', (name) => {
  const own = manifest(`packages/${name}/package.json`);

  // npm packs only what lies in the package's own folder.
  it('carries the licence of the repository', () => {
    expect(read(`packages/${name}/LICENSE`)).toBe(read('LICENSE'));
    expect(own.license).toBe('Apache-2.0');
  });

  it('has a README that starts with its name', () => {
    expect(read(`packages/${name}/README.md`).split('\n')[0]).toBe(`# ${own.name}`);
  });

  it('says what it is and which Node it needs', () => {
    expect(own.name).toBe(name === generator ? 'create-routine-engine' : `@routine-engine/${name}`);
    expect(own.description).toMatch(/\w/);
    expect(own.type).toBe('module');
    expect(own.engines).toEqual(manifest('package.json').engines);
  });

  it('exports doors that have sources, types and built files, and no patterns', () => {
    const { './package.json': manifestItself, ...doors } = own.exports;
    expect(manifestItself).toBe('./package.json');
    for (const [door, target] of Object.entries(doors)) {
      expect(door).not.toContain('*');
      const file = door === '.' ? 'index' : door.slice(2);
      // TypeScript takes the first condition that matches: types come before what is run.
      expect(Object.entries(target as object)).toEqual([
        ['@routine-engine/source', `./src/${file}.ts`],
        ['types', `./dist/${file}.d.ts`],
        ['default', `./dist/${file}.js`],
      ]);
    }
  });

  it('depends on no other package of the repository unless it is a program, and on core only as a peer', () => {
    const ours = (table: Readonly<Record<string, string>> = {}) =>
      Object.keys(table).filter((one) => one.startsWith('@routine-engine/'));
    const adapters = ours(own.dependencies);
    expect(programs.includes(name) ? adapters.filter((one) => one.endsWith('/core')) : adapters).toEqual([]);
    expect(ours(own.peerDependencies)).toEqual(
      ['core', generator].includes(name) ? [] : ['@routine-engine/core'],
    );
  });
});
