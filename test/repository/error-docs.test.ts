import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERRORS } from '../../packages/core/src/errors/codes.js';
import { errorDocs } from '../../scripts/error-docs.mjs';
import { root } from './documents.js';

it('docs/errors.md lists every code as the source has it (npm run docs:errors)', () => {
  expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(errorDocs(ERRORS));
});

it('every code says in a sentence when it happens', () => {
  for (const [code, { when }] of Object.entries(ERRORS)) expect(when, code).toMatch(/^\S.+\.$/);
});
