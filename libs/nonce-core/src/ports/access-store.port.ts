export const API_SCOPES = ['nonce:read', 'nonce:allocate', 'ops:read', 'ops:write'] as const;
export type ApiScope = (typeof API_SCOPES)[number];

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly ApiScope[];
}

/** API keys, kept as SHA-256 digests only, and the append-only audit of operator actions. */
export interface AccessStore {
  /** null when unknown, revoked or expired. */
  findKey(digest: string): Promise<ApiKey | null>;
  /** Adds the key or replaces the scopes of the same name and digest. */
  saveKey(key: {
    readonly name: string;
    readonly digest: string;
    readonly scopes: readonly ApiScope[];
  }): Promise<ApiKey>;
  audit(entry: {
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly reason: string;
    readonly detail?: Readonly<Record<string, unknown>>;
  }): Promise<void>;
}
