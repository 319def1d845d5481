// Writes docs/errors.md from the table of codes in packages/core/src/errors/codes.ts. usage: npm run docs:errors
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

/**
 * The page that explains every code.
 * @param {Readonly<Record<string, { readonly retry: boolean, readonly when: string }>>} errors
 * @returns {string}
 */
export function errorDocs(errors) {
  const rows = Object.entries(errors).map(
    ([code, { retry, when }]) => `| \`${code}\` | ${when.replaceAll('|', '\\|')} | ${retry ? 'yes' : 'no'} |`,
  );
  return `# Error codes

<!-- Made from packages/core/src/errors/codes.ts by \`npm run docs:errors\`: change that table, not this page. -->

What the engine throws itself is a \`RoutineEngineError\` with one of these codes. Codes are stable: they change only with a
major version; messages may change at any time. The last column says whether the same call may be tried again unchanged.

| Code | When | Try again |
| --- | --- | --- |
${rows.join('\n')}
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  prepare(['packages/core']);
  const { ERRORS } = await import(new URL('packages/core/dist/errors/codes.js', pathToFileURL(root)).href);
  writeFileSync(`${root}docs/errors.md`, errorDocs(ERRORS));
}
