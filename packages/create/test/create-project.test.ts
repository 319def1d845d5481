import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProject, TEMPLATES, type TemplateName } from '../src/index.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const templates = Object.keys(TEMPLATES) as TemplateName[];
const own = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  devDependencies: Record<string, string>;
};
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'create-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Manifest {
  readonly name: string;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

const manifestOf = (project: string): Manifest =>
  JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;

describe.each(templates)('a project of the template %s', (template) => {
  it('has its name, the versions that this package knows, and nothing left to fill in', async () => {
    const project = join(folder, 'made');
    const { files, name } = await createProject({ template, folder: project, name: '@mine/made-1.0' });
    expect(name).toBe('@mine/made-1.0');
    const { name: inside, dependencies, devDependencies } = manifestOf(project);
    expect(inside).toBe(name);
    const all = { ...dependencies, ...devDependencies };
    const ours = Object.entries(all).filter(([dependency]) => dependency.startsWith('@routine-engine/'));
    expect(ours.length).toBeGreaterThan(0);
    for (const [dependency, range] of ours) expect(range).toBe(own.devDependencies[dependency]);
    expect(files).toEqual(
      expect.arrayContaining(['.gitignore', 'README.md', 'package.json', 'tsconfig.json']),
    );
    for (const file of files) expect(readFileSync(join(project, file), 'utf8')).not.toContain('{{');
    expect(readFileSync(join(project, 'README.md'), 'utf8').split('\n')[0]).toBe(`# ${name}`);
  });
});

describe('an adapter', () => {
  it.each(['transport', 'store', 'codec'] as const)(
    '%s takes core as a peer, as those of this repository do',
    async (template) => {
      await createProject({ template, folder: join(folder, 'made') });
      const { dependencies = {}, peerDependencies } = manifestOf(join(folder, 'made'));
      const sibling = new URL('../../store-fs/package.json', import.meta.url);
      expect(peerDependencies).toEqual(
        (JSON.parse(readFileSync(sibling, 'utf8')) as Manifest).peerDependencies,
      );
      expect(Object.keys(dependencies).filter((name) => name.startsWith('@routine-engine/'))).toEqual([]);
    },
  );
});

describe('a project', () => {
  it('is named after its folder', async () => {
    const names = ['My Routines', 'über', '...', '_x'].map(async (name) => {
      const made = await createProject({ template: 'app', folder: join(folder, name) });
      return made.name;
    });
    expect(await Promise.all(names)).toEqual(['my-routines', 'ber', 'my-routines', 'x']);
  });

  it('is made in a folder that is empty, or has only a repository', async () => {
    mkdirSync(join(folder, '.git'));
    await createProject({ template: 'app', folder });
    expect(existsSync(join(folder, 'src/main.ts'))).toBe(true);
  });

  it('is not made where something is, which stays as it was', async () => {
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await expect(createProject({ template: 'app', folder })).rejects.toThrow(
      'has something in it already, such as notes.txt',
    );
    await expect(createProject({ template: 'app', folder: join(folder, 'notes.txt') })).rejects.toThrow(
      'ENOTDIR',
    );
    expect(readdirSync(folder)).toEqual(['notes.txt']);
  });

  it('is not made of a template or with a name that is none', async () => {
    const project = join(folder, 'made');
    const template = 'toString' as TemplateName;
    await expect(createProject({ template, folder: project })).rejects.toThrow('there are app, distributed');
    for (const name of ['', 'Upper', '../up', '@mine', 'a'.repeat(215)])
      await expect(createProject({ template: 'app', folder: project, name })).rejects.toThrow(
        'no name of a package',
      );
    expect(readdirSync(folder)).toEqual([]);
  });
});
