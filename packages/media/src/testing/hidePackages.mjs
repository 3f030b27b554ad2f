// Makes packages look as if they were not installed: node --import ./hidePackages.mjs, with their names in HIDDEN_PACKAGES.
import { register } from 'node:module';

const hooks = `
  const hidden = ${JSON.stringify((process.env.HIDDEN_PACKAGES ?? '').split(','))};
  export async function resolve(specifier, context, next) {
    if (hidden.some((name) => specifier === name || specifier.startsWith(name + '/'))) {
      throw Object.assign(new Error("Cannot find package '" + specifier + "'"), { code: 'ERR_MODULE_NOT_FOUND' });
    }
    return await next(specifier, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
