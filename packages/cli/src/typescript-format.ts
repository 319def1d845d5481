interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
}

/**
 * A hook of Node's module loader: a TypeScript file is an ES module whatever the next `package.json` says, since routines are
 * written with `import` and `export`. As a hook of a loader thread it gives a promise, else the result.
 */
export function resolve<Result extends Resolved | Promise<Resolved>>(
  specifier: string,
  context: object,
  nextResolve: (specifier: string, context: object) => Result,
): Resolved | Promise<Resolved> {
  const resolved = nextResolve(specifier, context);
  return resolved instanceof Promise ? resolved.then(asModule) : asModule(resolved);
}

function asModule(resolved: Resolved): Resolved {
  return /\.m?tsx?(\?|$)/.test(resolved.url) ? { ...resolved, format: 'module' } : resolved;
}
