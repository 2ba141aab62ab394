import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  NonceEnvironment,
  environmentReference,
  type EnvironmentClass,
  type EnvironmentReferenceRow,
} from '@noncekit/nonce-core';

const APPS = ['api', 'flush-worker'] as const;
const SCHEMA = 'config/env.schema';

/** Every variable of each app, by app name, read from the built apps: their classes are the source. */
export async function appEnvironments(
  root: string,
): Promise<ReadonlyMap<string, readonly EnvironmentReferenceRow[]>> {
  const environments = new Map<string, readonly EnvironmentReferenceRow[]>();
  for (const app of APPS) {
    if (!existsSync(join(root, `apps/${app}/src/${SCHEMA}.ts`))) continue;
    const path = join(root, `apps/${app}/dist/${SCHEMA}.js`);
    if (!existsSync(path)) throw new Error(`apps/${app} is not built; run \`npm run build\``);
    const built = (await import(path)) as { readonly default: Readonly<Record<string, unknown>> };
    const environment = Object.values(built.default).find(isEnvironmentClass);
    if (environment === undefined)
      throw new Error(`apps/${app}: no class extends NonceEnvironment`);
    environments.set(app, environmentReference(environment));
  }
  return environments;
}

function isEnvironmentClass(value: unknown): value is EnvironmentClass<NonceEnvironment> {
  return typeof value === 'function' && value.prototype instanceof NonceEnvironment;
}
