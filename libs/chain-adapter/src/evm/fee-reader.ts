import type { Hex } from '@noncekit/nonce-core/domain';
import { parseTransaction } from 'viem/utils';
import type { FeeQuote, RivalFees } from './decide-burn-fees';
import { isRecord, type RpcReply, type RpcRequest } from './json-rpc';
import type { ProviderPool } from './provider-pool';

/** Many nonces are burned at once; a price of this age is as good as a new one. */
const QUOTE_MAX_AGE_MS = 1_000;
/** Where nodes name no tip; one gwei is what most chains take. */
const DEFAULT_TIP_PER_GAS = 10n ** 9n;

const QUANTITY = /^0x[0-9a-f]{1,64}$/i;
const QUOTE_REQUESTS: readonly RpcRequest[] = [
  { method: 'eth_getBlockByNumber', params: ['latest', false] },
  { method: 'eth_maxPriorityFeePerGas', params: [] },
  { method: 'eth_gasPrice', params: [] },
];

interface AgedQuote {
  readonly quote: Promise<FeeQuote>;
  readonly atMs: number;
}

/** What it costs now to get into a block of one chain. */
export class FeeReader {
  private last: AgedQuote | null = null;

  constructor(
    private readonly pool: ProviderPool,
    private readonly nowMs: () => number,
  ) {}

  /**
   * Of several providers the middle one counts, so that one alone does not make the price.
   * @throws NonceError NONCE_CHAIN_UNREACHABLE and its kin when no provider names a price.
   */
  quote(): Promise<FeeQuote> {
    const nowMs = this.nowMs();
    if (this.last === null || nowMs - this.last.atMs >= QUOTE_MAX_AGE_MS) {
      const quote = this.read();
      quote.catch(() => (this.last = null));
      this.last = { quote, atMs: nowMs };
    }
    return this.last.quote;
  }

  /** Fees of those transactions that a provider knows; without an answer there are none. */
  async feesOf(hashes: readonly Hex[]): Promise<readonly RivalFees[]> {
    if (hashes.length === 0) return [];
    const requests = hashes.map((hash) => ({ method: 'eth_getTransactionByHash', params: [hash] }));
    return (await this.askAll(requests)).flat().flatMap((reply) => {
      const fees = reply.kind === 'result' ? feesOfAnswer(reply.value) : null;
      return fees === null ? [] : [fees];
    });
  }

  private async read(): Promise<FeeQuote> {
    const answers = await this.askAll(QUOTE_REQUESTS);
    const baseFeePerGas = middle(answers.map(([block]) => baseFeeOf(block)));
    if (baseFeePerGas !== null) {
      const tip = middle(answers.map(([, reply]) => quantityOf(reply))) ?? DEFAULT_TIP_PER_GAS;
      return { kind: 'eip1559', baseFeePerGas, tipPerGas: tip > 0n ? tip : 1n };
    }
    const gasPrice = middle(answers.map(([, , reply]) => quantityOf(reply)));
    if (gasPrice !== null) return { kind: 'legacy', gasPrice };
    throw this.pool.unreachable({ message: 'No RPC provider names a gas price.' });
  }

  private async askAll(requests: readonly RpcRequest[]): Promise<readonly (readonly RpcReply[])[]> {
    const providers = await this.pool.usable();
    return Promise.all(providers.map((provider) => provider.ask(requests)));
  }
}

/** Fees of signed bytes; null when they are of a type of transaction that is not known here. */
export function feesOfBytes(rawTx: Hex): RivalFees | null {
  try {
    const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(rawTx);
    if (gasPrice !== undefined) return { maxFeePerGas: gasPrice, maxPriorityFeePerGas: gasPrice };
    // RLP spells a fee of 0 by leaving it out.
    return { maxFeePerGas: maxFeePerGas ?? 0n, maxPriorityFeePerGas: maxPriorityFeePerGas ?? 0n };
  } catch {
    return null;
  }
}

function feesOfAnswer(value: unknown): RivalFees | null {
  if (!isRecord(value)) return null;
  const price = parseAmount(value['gasPrice']);
  const maxFeePerGas = parseAmount(value['maxFeePerGas']) ?? price;
  const maxPriorityFeePerGas = parseAmount(value['maxPriorityFeePerGas']) ?? price;
  if (maxFeePerGas === null || maxPriorityFeePerGas === null) return null;
  return { maxFeePerGas, maxPriorityFeePerGas };
}

function baseFeeOf(reply: RpcReply | undefined): bigint | null {
  if (reply?.kind !== 'result' || !isRecord(reply.value)) return null;
  return parseAmount(reply.value['baseFeePerGas']);
}

function quantityOf(reply: RpcReply | undefined): bigint | null {
  return reply?.kind === 'result' ? parseAmount(reply.value) : null;
}

function parseAmount(value: unknown): bigint | null {
  return typeof value === 'string' && QUANTITY.test(value) ? BigInt(value) : null;
}

/** The middle one of those that are there; of two the lower. */
function middle(values: readonly (bigint | null)[]): bigint | null {
  const given = values.filter((value) => value !== null).sort((a, b) => (a < b ? -1 : 1));
  return given[Math.floor((given.length - 1) / 2)] ?? null;
}
