export { inspect } from './inspect.ts';
export { type Packed, packAll } from './pack.ts';
export { inPublishOrder, type Member, readMembers, repositoryRoot, runtimeDependencies } from './workspace.ts';
