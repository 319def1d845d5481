/** Each template, and what it makes. @public */
export const TEMPLATES = {
  app: 'routines on all cores of one machine, with results kept in a directory',
  distributed: 'a service, workers and a client that are processes of their own',
  transport: 'a transport for others to use, with its compliance kit',
  store: 'a store of results for others to use, with its compliance kit',
  codec: 'a codec for others to use, with its compliance kit',
} as const;

/** What a project is made from. @public */
export type TemplateName = keyof typeof TEMPLATES;

/** Whether there is a template of that name. */
export function isTemplateName(name: string): name is TemplateName {
  return Object.hasOwn(TEMPLATES, name);
}
