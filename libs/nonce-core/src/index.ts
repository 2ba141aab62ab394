export * from './domain';
export * from './ports';
export {
  environmentReference,
  type EnvironmentReferenceRow,
} from './module/environment/environment-reference';
export { loadEnvironment } from './module/environment/load-environment';
export { NonceEnvironment } from './module/environment/nonce-environment';
export type { EnvironmentSource } from './module/environment/read-setting';
export {
  FromEnvironment,
  type EnvironmentClass,
  type SettingSpec,
} from './module/environment/setting';
export { toNonceOptions } from './module/environment/to-nonce-options';
export type {
  ChainClient,
  ChainOptions,
  DatabaseOptions,
  NonceModuleOptions,
} from './module/options';
export { migrate, type MigrateOptions } from './postgres/migrate';
