import type {
  FactoryProvider,
  InjectionToken,
  ModuleMetadata,
  OptionalFactoryDependency,
  Provider,
  Type,
} from '@nestjs/common';
import type { NonceModuleOptions } from './options';
import { RAW_NONCE_OPTIONS } from './tokens';

/** A class that makes the options, from a configuration service for example. */
export interface NonceOptionsFactory {
  createNonceOptions(): NonceModuleOptions | Promise<NonceModuleOptions>;
}

interface AsyncCommon {
  readonly imports?: ModuleMetadata['imports'];
  /** False when modules that use it import it themselves, as with two modules in one app. */
  readonly global?: boolean;
}

/** The three ways in which Nest modules are given their options late. */
export type NonceModuleAsyncOptions = AsyncCommon &
  (
    | {
        readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
        readonly useFactory: (
          ...dependencies: never[]
        ) => NonceModuleOptions | Promise<NonceModuleOptions>;
      }
    | { readonly useClass: Type<NonceOptionsFactory> }
    | { readonly useExisting: InjectionToken<NonceOptionsFactory> }
  );

export function asyncOptionProviders(options: NonceModuleAsyncOptions): Provider[] {
  if ('useFactory' in options) {
    const useFactory = options.useFactory as FactoryProvider<NonceModuleOptions>['useFactory'];
    return [{ provide: RAW_NONCE_OPTIONS, inject: options.inject ?? [], useFactory }];
  }
  const token = 'useClass' in options ? options.useClass : options.useExisting;
  const provided: Provider[] = 'useClass' in options ? [options.useClass] : [];
  return [
    ...provided,
    {
      provide: RAW_NONCE_OPTIONS,
      inject: [token],
      useFactory: (factory: NonceOptionsFactory) => factory.createNonceOptions(),
    },
  ];
}
