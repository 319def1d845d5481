import { parseSync, visitorKeys } from 'oxc-parser';

/** One specifier that a module names, in any way TypeScript has to name one. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** The names taken from it; `*` for the whole module. */
  readonly names: readonly string[];
}

/** What the structure tests want to know of one source file. */
export interface ReadModule {
  readonly imports: readonly Import[];
  /** Global values used, as written: `setTimeout`, `Date.now`, `new Date`. */
  readonly globals: readonly { readonly name: string; readonly line: number }[];
  /** Whether every statement hands on what another module exports. */
  readonly onlyReExports: boolean;
  readonly lines: number;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** Parses one TypeScript source. Throws when it is not valid. */
export function readModule(path: string, text: string): ReadModule {
  const { program, errors } = parseSync(path, text);
  if (errors[0]) throw new SyntaxError(`${path}: ${errors[0].message}`);
  const imports: Import[] = [];
  const globals: { name: string; line: number }[] = [];
  const lineOf = (at: number) => text.slice(0, at).split('\n').length;

  walk(program as unknown as Node, (node) => {
    const found = importOf(node);
    if (found) imports.push({ ...found, line: lineOf(node.start) });
    const name = globalOf(node);
    if (name !== undefined) globals.push({ name, line: lineOf(node.start) });
  });
  return {
    imports,
    globals,
    onlyReExports: program.body.length > 0 && program.body.every(isReExport),
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
  };
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const key of visitorKeys[node.type] ?? []) {
    if (isOnlyAName(node, key)) continue;
    const child = node[key];
    for (const one of Array.isArray(child) ? child : [child]) if (one) walk(one as Node, visit);
  }
}

/** Whether the identifier under `key` names a member or a type and stands for no value. */
function isOnlyAName(node: Node, key: string): boolean {
  if (key === 'key' || key === 'property') return node['computed'] !== true;
  if (node.type === 'TSTypeQuery' && key === 'exprName') return (node[key] as Node).type !== 'TSImportType';
  return key === 'typeName' || key === 'qualifier' || key === 'label';
}

function importOf(node: Node): Omit<Import, 'line'> | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
      return named(node['source'], (node['specifiers'] as Node[]).map(nameTaken));
    case 'ExportAllDeclaration':
    case 'ImportExpression':
      return named(node['source'], ['*']);
    case 'TSImportType':
      return named(node['source'], [qualifierName(node['qualifier'] as Node | null)]);
    case 'TSExternalModuleReference':
      return named(node['expression'], ['*']);
    default:
      return undefined;
  }
}

/** `source` is null in an export of the module's own, and no literal in `import(url)`: neither names a module. */
function named(source: unknown, names: readonly string[]): Omit<Import, 'line'> | undefined {
  const node = source as { type: string; value?: unknown; quasis?: { value: { cooked: string } }[] } | null;
  const parts = node?.type === 'TemplateLiteral' ? (node.quasis ?? []) : [];
  const specifier = parts.length === 1 ? parts[0]?.value.cooked : node?.value;
  return typeof specifier === 'string' ? { specifier, names } : undefined;
}

function nameTaken(specifier: Node): string {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default';
  const name = (specifier['imported'] ?? specifier['local']) as { name?: string; value?: string };
  return specifier.type === 'ImportNamespaceSpecifier' ? '*' : (name.name ?? name.value ?? '*');
}

function qualifierName(qualifier: Node | null): string {
  const first = qualifier?.type === 'TSQualifiedName' ? (qualifier['left'] as Node) : qualifier;
  return typeof first?.['name'] === 'string' ? first['name'] : '*';
}

function globalOf(node: Node): string | undefined {
  if (node.type === 'Identifier') return node['name'] as string;
  if (node.type === 'NewExpression' && (node['arguments'] as unknown[]).length === 0) {
    const path = memberPath(node['callee'] as Node);
    return path && `new ${path}`;
  }
  return node.type === 'MemberExpression' ? memberPath(node) : undefined;
}

/** `a.b`, `a['b']`, and `globalThis.a.b` as `a.b`. */
function memberPath(node: Node): string | undefined {
  if (node.type === 'Identifier') return node['name'] as string;
  if (node.type === 'ParenthesizedExpression') return memberPath(node['expression'] as Node);
  if (node.type !== 'MemberExpression') return undefined;
  const object = memberPath(node['object'] as Node);
  const property = node['property'] as { type: string; name?: string; value?: unknown };
  const name = node['computed'] === true ? property.value : property.name;
  if (object === undefined || typeof name !== 'string') return undefined;
  return object === 'globalThis' || object === 'global' ? name : `${object}.${name}`;
}

function isReExport(statement: { type: string; source?: unknown }): boolean {
  return /^Export(All|Named)Declaration$/.test(statement.type) && statement.source !== null;
}
