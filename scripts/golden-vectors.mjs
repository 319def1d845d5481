// Makes the golden vectors of the compliance kit for codecs from docs/digest-vectors.json: node scripts/golden-vectors.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const LONGEST = 1000;
const target = new URL('../packages/core/src/compliance/digest-vectors.ts', import.meta.url);
const { vectors, nodes, refused } = JSON.parse(
  readFileSync(new URL('../docs/digest-vectors.json', import.meta.url), 'utf8'),
);

const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
/** JSON in printable ASCII that may stand in a raw template. */
const lineOf = (vector) => JSON.stringify(vector).replaceAll(/[^ -~]|`|\$(?=\{)/g, escaped);
const linesOf = (list, expected) =>
  list
    .filter(({ value }) => JSON.stringify(value).length < LONGEST)
    .map((each) => lineOf([each.name, each.value, each[expected]]))
    .join('\n');

const source = readFileSync(target, 'utf8');
const blocks = [linesOf(vectors, 'digest'), linesOf(nodes, 'node'), linesOf(refused, 'code')];
writeFileSync(
  target,
  source.replaceAll(/String\.raw`\n[^`]*\n`/g, () => `String.raw\`\n${blocks.shift()}\n\``),
);
