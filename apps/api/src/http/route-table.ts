interface ServedRoute {
  readonly method: string;
  readonly path: string;
  readonly matches: RegExp;
}

/**
 * The routes as registered with the HTTP server. Tells a wrong method (405 with `Allow`) from an
 * unknown address (404), which the router alone does not.
 */
export class RouteTable {
  private readonly routes: ServedRoute[] = [];

  add(methods: string | readonly string[], path: string): void {
    const matches = new RegExp(`^${path.split('/').map(segmentPattern).join('/')}$`);
    for (const method of [methods].flat()) this.routes.push({ method, path, matches });
  }

  /** Every method and path pattern that is served, in order of registration. */
  get all(): readonly { readonly method: string; readonly path: string }[] {
    return this.routes;
  }

  /** Methods under which this address exists; empty when it does not exist at all. */
  methodsOf(url: string): readonly string[] {
    const path = url.split('?', 1)[0] ?? '';
    const served = this.routes.filter((route) => route.matches.test(path));
    return [...new Set(served.map((route) => route.method))].sort();
  }
}

function segmentPattern(segment: string): string {
  if (segment.startsWith(':')) return '[^/]+';
  if (segment === '*') return '.*';
  return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
