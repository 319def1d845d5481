import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, documents, linksOf, read, root } from './documents.js';

describe('relative links', () => {
  it.each(documents())('of %s point at files and headings that exist', (document) => {
    expect(brokenLinks(document, read(document))).toEqual([]);
  });

  it('are found broken when the file or the heading is missing', () => {
    const text =
      '[a](nowhere.md) [b](#no-such) [c](CONTRIBUTING.md#no-such) ![d](<no.png>)\n\n[e]: gone.md\n<img src="x.svg">';
    expect(brokenLinks('README.md', text)).toEqual([
      'README.md:1 links to nowhere.md',
      'README.md:1 links to #no-such',
      'README.md:1 links to CONTRIBUTING.md#no-such',
      'README.md:1 links to no.png',
      'README.md:3 links to gone.md',
      'README.md:4 links to x.svg',
    ]);
  });

  it('are left alone in code, and when they lead elsewhere', () => {
    const text =
      '## `a.b()`: what, and why?\n`[a](no.md)` [x](https://example.org/no) [y](#ab-what-and-why)\n```md\n[z](no.md)\n```';
    expect(brokenLinks('README.md', text)).toEqual([]);
  });
});

function brokenLinks(document: string, text: string): string[] {
  return linksOf(text)
    .filter(({ target }) => !leadsSomewhere(document, text, target))
    .map(({ target, line }) => `${document}:${line} links to ${target}`);
}

function leadsSomewhere(document: string, text: string, target: string): boolean {
  const [path = '', fragment] = target.split('#');
  const file = path === '' ? join(root, document) : join(root, dirname(document), decodeURIComponent(path));
  if (path !== '' && !existsSync(file)) return false;
  if (fragment === undefined || !(path === '' || file.endsWith('.md'))) return true;
  return anchorsOf(path === '' ? text : read(relative(root, file))).has(fragment);
}
