/**
 * Makes projects with the routine engine, as `npm create routine-engine` does.
 * @packageDocumentation
 */
export { createProject, type CreatedProject, type ProjectOptions } from './create-project.js';
export { TEMPLATES, type TemplateName } from './templates.js';
