import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block of a document. */
export interface Block {
  /** Path of the document below the root. */
  readonly document: string;
  /** Line of the opening fence, counted from 1. */
  readonly line: number;
  readonly language: string;
  /** What follows the language, such as `run`. */
  readonly marks: readonly string[];
  readonly text: string;
}

/** Every document whose examples and links are checked, by its path below the root. */
export function documents(): string[] {
  const named = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'];
  const below = ['packages', 'examples'].flatMap((folder) =>
    entriesOf(folder).map((name) => `${folder}/${name}/README.md`),
  );
  const docs = entriesOf('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return [...named, ...below, ...docs].filter((path) => existsSync(join(root, path)));
}

/** The text of a document. */
export function read(document: string): string {
  return readFileSync(join(root, document), 'utf8');
}

/** The fenced blocks of a document, in order. */
export function blocksOf(document: string, markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const [, indent = '', fence, info = ''] = /^( *)(`{3,}|~{3,})(.*)$/.exec(lines[at] ?? '') ?? [];
    if (fence === undefined) continue;
    const line = at + 1;
    const text: string[] = [];
    for (at++; at < lines.length && lines[at]?.trim() !== fence; at++)
      text.push((lines[at] ?? '').replace(new RegExp(`^ {0,${indent.length}}`), ''));
    const [language = '', ...marks] = info.trim().split(/\s+/);
    blocks.push({ document, line, language, marks, text: `${text.join('\n')}\n` });
  }
  return blocks;
}

/** The relative targets of links and images in a document, with their lines. Code is not searched. */
export function linksOf(markdown: string): { target: string; line: number }[] {
  return withoutCode(markdown).flatMap((text, index) =>
    [...text.matchAll(/\]\(\s*<?([^)\s>]+)|^\s*\[[^\]]+\]:\s*<?([^\s>]+)|\b(?:href|src)="([^"]+)"/g)]
      .map((match) => match[1] ?? match[2] ?? match[3] ?? '')
      .filter((target) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target))
      .map((target) => ({ target, line: index + 1 })),
  );
}

/** The fragments that a document can be linked to with, as GitHub makes them of headings. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const text of withoutCode(markdown, 'keep inline code')) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(text)?.[1];
    if (heading === undefined) continue;
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let unique = slug;
    for (let count = 1; anchors.has(unique); count++) unique = `${slug}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

/** The lines of a document, those of fenced blocks emptied. */
function withoutCode(markdown: string, inline?: 'keep inline code'): string[] {
  let fence: string | undefined;
  return markdown.split('\n').map((text) => {
    const mark = /^ *(`{3,}|~{3,})/.exec(text)?.[1];
    if (fence !== undefined) {
      if (text.trim() === fence) fence = undefined;
      return '';
    }
    fence = mark;
    if (mark !== undefined) return '';
    return inline ? text : text.replace(/`[^`]*`/g, '``');
  });
}

function entriesOf(folder: string): string[] {
  return existsSync(join(root, folder)) ? readdirSync(join(root, folder)).toSorted() : [];
}
