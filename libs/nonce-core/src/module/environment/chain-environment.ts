import {
  ArrayNotEmpty,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsUrl,
  Max,
  Min,
} from 'class-validator';
import { FromEnvironment } from './setting';

const URL_FORM = {
  protocols: ['http', 'https'],
  require_protocol: true,
  require_tld: false,
};

const WS_URL_FORM = { ...URL_FORM, protocols: ['ws', 'wss'] };

/** Settings of one chain; each name follows `NONCE_CHAIN_<id>_`. */
export class ChainEnvironment {
  chainId = 0;

  @FromEnvironment({
    name: 'RPC_URLS',
    kind: 'text-list',
    secret: true,
    reason: 'Providers of this chain; give at least two, because none is trusted alone.',
  })
  @ArrayNotEmpty()
  @IsUrl(URL_FORM, { each: true })
  rpcUrls: string[] = [];

  @FromEnvironment({
    name: 'WS_URLS',
    kind: 'text-list',
    secret: true,
    reason:
      'WebSocket addresses that announce new heads, so that nobody waits for the next poll; a hint only, what a block says is read from RPC_URLS.',
  })
  @IsUrl(WS_URL_FORM, { each: true })
  wsUrls: string[] = [];

  @FromEnvironment({
    name: 'CONFIRMATIONS',
    kind: 'integer',
    unit: 'blocks',
    reason: 'Blocks on top of a receipt until a transaction counts as confirmed; 0 = on inclusion.',
  })
  @IsInt()
  @Min(0)
  @Max(10_000)
  confirmations = 12;

  @FromEnvironment({
    name: 'FINALITY_TAG',
    kind: 'text',
    reason:
      'Block tag that ends a nonce; `none` uses the reorg depth on chains without such a tag.',
  })
  @IsIn(['finalized', 'safe', 'none'])
  finalityTag: 'finalized' | 'safe' | 'none' = 'finalized';

  @FromEnvironment({
    name: 'REORG_DEPTH',
    kind: 'integer',
    unit: 'blocks',
    reason:
      'Depth after which inclusion counts as final where the tag does not move; chains 10, 8453, 42161 and 137 have deeper defaults.',
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  reorgDepth = 64;

  @FromEnvironment({
    name: 'POLL_INTERVAL_MS',
    kind: 'integer',
    unit: 'ms',
    reason:
      'Time between looks at receipts; about one block time. Chains 1, 56, 42161, 11155111 and development chains have their own defaults.',
  })
  @IsInt()
  @Min(50)
  @Max(600_000)
  pollIntervalMs = 2_000;

  @FromEnvironment({
    name: 'STRICT_NONCE',
    kind: 'boolean',
    reason: 'Set for chains that refuse a nonce above the next one instead of queueing it.',
  })
  @IsBoolean()
  strictNonce = false;

  @FromEnvironment({
    name: 'MAX_IN_FLIGHT',
    kind: 'integer',
    unit: 'nonces',
    reason: 'Window of this chain when it differs from NONCE_MAX_IN_FLIGHT; 0 = no limit.',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  maxInFlight?: number;
}
