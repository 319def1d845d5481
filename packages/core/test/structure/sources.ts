import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Source } from './check.js';

/** The root of the repository. */
const repository = fileURLToPath(new URL('../../../../', import.meta.url));

/** All TypeScript files below a folder of the repository, paths relative to it with forward slashes. */
export function sourcesIn(folder: string): Source[] {
  const base = join(repository, folder);
  if (!existsSync(base)) return [];
  return readdirSync(base, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.[cm]?tsx?$/.test(path))
    .toSorted()
    .map((path) => ({
      path: path.split(sep).join('/'),
      text: readFileSync(join(base, path), 'utf8'),
    }));
}

/** The specifiers under which a package of the repository can be imported, such as `@routine-engine/core/adapter`. */
export function doorsOf(folder: string): string[] {
  const { name, exports } = JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, unknown>;
  };
  return Object.keys(exports)
    .filter((door) => door !== './package.json')
    .map((door) => name + door.slice(1));
}

/** The folders directly below one of the repository, such as `packages`. */
export function foldersIn(folder: string): string[] {
  return readdirSync(join(repository, folder), { withFileTypes: true })
    .filter(
      (entry) => entry.isDirectory() && existsSync(join(repository, folder, entry.name, 'package.json')),
    )
    .map((entry) => `${folder}/${entry.name}`)
    .toSorted();
}
