import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { NonceError, type ApiScope } from '@noncekit/nonce-core';
import type { FastifyRequest } from 'fastify';

/** Who calls: the key's name is the actor of the audit. */
export interface Principal {
  readonly name: string;
  readonly scopes: readonly ApiScope[];
}

/** Kept beside the requests instead of on them, so that no plugin can overwrite it. */
const principals = new WeakMap<FastifyRequest, Principal>();

export function rememberPrincipal(request: FastifyRequest, principal: Principal): void {
  principals.set(request, principal);
}

/** The caller's name, for the audit. */
export const Actor = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const principal = principals.get(context.switchToHttp().getRequest<FastifyRequest>());
  if (principal === undefined) throw new NonceError('NONCE_UNAUTHENTICATED');
  return principal.name;
});
