import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { ACCESS_STORE, type AccessStore } from '@noncekit/nonce-core';
import type { ApiEnvironment } from '../config/env.schema';
import { ApiKeyGuard } from './api-key.guard';
import { Authenticator } from './authenticator';
import { InFlightRequests } from './in-flight-requests';
import { DefaultChain } from './path-parameters';
import { ProblemFilter } from './problem.filter';
import { RouteTable } from './route-table';

/** What every route shares: keys and scopes, problems, and the facts of the running server. */
@Global()
@Module({})
export class HttpModule {
  static forServer(
    environment: ApiEnvironment,
    server: { readonly routes: RouteTable; readonly inFlight: InFlightRequests },
  ): DynamicModule {
    return {
      module: HttpModule,
      providers: [
        { provide: RouteTable, useValue: server.routes },
        { provide: InFlightRequests, useValue: server.inFlight },
        { provide: DefaultChain, useValue: new DefaultChain(environment.defaultChainId) },
        {
          provide: Authenticator,
          inject: [ACCESS_STORE],
          useFactory: (store: AccessStore) => new Authenticator(store, environment.authMode),
        },
        { provide: APP_GUARD, useClass: ApiKeyGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
      exports: [RouteTable, InFlightRequests, DefaultChain],
    };
  }
}
