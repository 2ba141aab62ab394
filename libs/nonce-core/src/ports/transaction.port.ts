/**
 * A transaction the caller already has open (TypeORM's EntityManager fits). Settling may join it,
 * so that a host's business rows and the nonce commit together. Allocation and intent never do.
 */
export interface TransactionHandle {
  query(sql: string, parameters?: unknown[]): Promise<unknown>;
}
