import { afterAll, beforeAll, expect, it } from 'vitest';
import { blocksOf, documents, read } from './documents.js';
import { compile, removeCompiled, run, snippetsOf } from './snippets.js';

const snippets = documents().flatMap((document) => snippetsOf(blocksOf(document, read(document))));
let complaints: Map<string, string[]>;

beforeAll(() => {
  complaints = compile(snippets);
});

afterAll(removeCompiled);

it('the README has an example that runs', () => {
  expect(snippets.filter((snippet) => snippet.document === 'README.md' && snippet.run)).not.toEqual([]);
});

it('no two examples of a document claim the same file', () => {
  const modules = snippets.map(({ module }) => module);
  expect(modules.filter((module, index) => modules.indexOf(module) !== index)).toEqual([]);
});

const titled = snippets.map((snippet) => ({ ...snippet, title: `${snippet.document} line ${snippet.line}` }));

it.each(titled)('the example in $title compiles', ({ module }) => {
  expect(complaints.get(module) ?? []).toEqual([]);
});

it.each(titled.filter(({ run: isRun }) => isRun))(
  'the example in $title runs and prints what the document says',
  async (snippet) => {
    const { code, stdout, stderr } = await run(snippet);
    expect(code, stderr || stdout).toBe(0);
    expect(stdout).toBe(snippet.output ?? stdout);
  },
);
