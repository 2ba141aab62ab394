import type { InFlightRequests } from './in-flight-requests';
import type { RouteTable } from './route-table';

/** What the server and the dependency injection both know. */
export interface ServerParts {
  readonly routes: RouteTable;
  readonly inFlight: InFlightRequests;
}
