import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { NonceError, type ApiScope } from '@noncekit/nonce-core';
import type { FastifyRequest } from 'fastify';
import { Authenticator } from './authenticator';
import { rememberPrincipal } from './principal';
import { PUBLIC_ROUTE, REQUIRED_SCOPE } from './scopes';

/** Deny by default: a route that declares neither a scope nor that it is public is refused. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC_ROUTE, places) === true) {
      return true;
    }
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const principal = await this.authenticator.authenticate(request.headers.authorization);
    const scope = this.reflector.getAllAndOverride<ApiScope | undefined>(REQUIRED_SCOPE, places);
    if (scope === undefined || !principal.scopes.includes(scope)) {
      throw new NonceError('NONCE_FORBIDDEN', { context: { scope: scope ?? null } });
    }
    rememberPrincipal(request, principal);
    return true;
  }
}
