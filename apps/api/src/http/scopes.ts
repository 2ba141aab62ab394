import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { ApiScope } from '@noncekit/nonce-core';

/** Metadata keys are symbols so that no other library can declare a route public by accident. */
export const REQUIRED_SCOPE = Symbol('api.required-scope');
export const PUBLIC_ROUTE = Symbol('api.public-route');

/** The one scope a key must carry to call this route. A route without it is refused. */
export const RequireScope = (scope: ApiScope): CustomDecorator<symbol> =>
  SetMetadata(REQUIRED_SCOPE, scope);

/** No key needed: only for pages that say nothing about any submitter. */
export const PublicRoute = (): CustomDecorator<symbol> => SetMetadata(PUBLIC_ROUTE, true);
