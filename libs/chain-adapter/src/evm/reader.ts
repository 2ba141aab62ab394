import { isNonceError, type ChainId, type Hex } from '@noncekit/nonce-core/domain';
import type {
  BlockContents,
  BlockRef,
  BlockTag,
  ChainReader,
  ReceiptLookup,
  TransactionLookup,
} from '@noncekit/nonce-core/ports';
import { isRecord, type RpcReply, type RpcRequest } from './json-rpc';
import type { Provider } from './provider';
import type { ProviderPool } from './provider-pool';
import { lookUpReceipts } from './receipt-lookup';
import { parseBlock, parseContents, parseHash, parseQuantity, toQuantity } from './rpc-values';
import { vouchedCount, vouchedHeight, vouchedTag } from './vouching';

/** What geth-like nodes say for a tag whose block does not exist yet. */
const NO_SUCH_BLOCK = /\b(?:finalized|safe) block not found\b|^unknown block\b/i;
const NO_SUCH_BLOCK_CODE = -39_001;

/** Code of an account that delegates (EIP-7702): a marker and the address of what runs for it. */
const DELEGATION = /^0xef0100[0-9a-f]{40}$/i;

/** One provider that has it outweighs all that do not. */
const BEST_FIRST: readonly TransactionLookup[] = ['mined', 'pooled', 'absent'];

interface Answers<T> {
  readonly values: readonly T[];
  /** Why the other providers gave no answer. */
  readonly problems: Map<Provider, string>;
}

/** Asks all usable providers at once and believes what they vouch for together. */
export class EvmChainReader implements ChainReader {
  constructor(private readonly pool: ProviderPool) {}

  get chainId(): ChainId {
    return this.pool.chainId;
  }

  genesisHash(): Promise<Hex> {
    return this.pool.genesisHash();
  }

  adoptGenesis(genesisHash: Hex): void {
    this.pool.adoptGenesis(genesisHash);
  }

  async isDelegated(address: Hex): Promise<boolean | null> {
    const request = { method: 'eth_getCode', params: [address, 'latest'] };
    const { values } = await this.ask(request, (reply) => {
      if (reply.kind !== 'result') return { problem: reply.message };
      if (typeof reply.value !== 'string') return { problem: 'not code' };
      return { value: DELEGATION.test(reply.value) };
    });
    return values.length === 0 ? null : values.includes(true);
  }

  async transactionCount(address: Hex, tag: BlockTag): Promise<number> {
    const request = { method: 'eth_getTransactionCount', params: [address, tag] };
    const { values, problems } = await this.ask(request, (reply) => {
      if (reply.kind !== 'result') return { problem: reply.message };
      const count = parseQuantity(reply.value);
      return count === null ? { problem: 'not a transaction count' } : { value: count };
    });
    const count = vouchedCount(values);
    if (count === null) throw this.pool.unreachable({ problems });
    return count;
  }

  async block(at: BlockTag | number): Promise<BlockRef | null> {
    const which = typeof at === 'number' ? toQuantity(at) : at;
    const request = { method: 'eth_getBlockByNumber', params: [which, false] };
    const { values, problems } = await this.ask(request, (reply) => readBlock(reply, at));
    const verdict = typeof at === 'number' ? vouchedHeight(values) : vouchedTag(values);
    if (verdict === 'no-answer') throw this.pool.unreachable({ problems });
    if (verdict === 'disagreement') {
      throw this.pool.unreachable({ message: `The providers disagree about block ${at}.` });
    }
    return verdict.block;
  }

  /** The hash says which transactions belong to it, so one provider's list of the named block is enough. */
  async blockContents(number: number): Promise<BlockContents | null> {
    const request = { method: 'eth_getBlockByNumber', params: [toQuantity(number), false] };
    const lists = new Map<Hex, BlockContents>();
    const { values, problems } = await this.ask(request, (reply) => {
      const contents = reply.kind === 'result' ? parseContents(reply.value) : null;
      if (contents !== null) lists.set(contents.hash, contents);
      return readBlock(reply, number);
    });
    const verdict = vouchedHeight(values);
    if (verdict === 'no-answer') throw this.pool.unreachable({ problems });
    if (verdict === 'disagreement') {
      throw this.pool.unreachable({ message: `The providers disagree about block ${number}.` });
    }
    if (verdict.block === null) return null;
    const contents = lists.get(verdict.block.hash);
    if (contents === undefined) {
      throw this.pool.unreachable({ message: `No provider lists what is in block ${number}.` });
    }
    return contents;
  }

  receipts(hashes: readonly Hex[]): Promise<ReadonlyMap<Hex, ReceiptLookup>> {
    return lookUpReceipts(this.pool, hashes);
  }

  /** A hint about pools. `mined` is one provider's word; only a receipt proves inclusion. */
  async transaction(hash: Hex): Promise<TransactionLookup> {
    const request = { method: 'eth_getTransactionByHash', params: [hash] };
    try {
      const { values } = await this.ask(request, (reply) => readTransaction(reply, hash));
      return BEST_FIRST.find((lookup) => values.includes(lookup)) ?? 'unavailable';
    } catch (error) {
      if (isNonceError(error)) return 'unavailable';
      throw error;
    }
  }

  private async ask<T>(request: RpcRequest, read: Read<T>): Promise<Answers<T>> {
    const providers = await this.pool.usable();
    const problems = new Map<Provider, string>();
    const values: T[] = [];
    await Promise.all(
      providers.map(async (provider) => {
        const [reply] = await provider.ask([request]);
        const said = reply === undefined ? { problem: 'no answer' } : read(reply);
        if ('value' in said) values.push(said.value);
        else problems.set(provider, said.problem);
      }),
    );
    return { values, problems };
  }
}

type Read<T> = (reply: RpcReply) => { readonly value: T } | { readonly problem: string };

function readBlock(reply: RpcReply, at: BlockTag | number): ReturnType<Read<BlockRef | null>> {
  if (reply.kind === 'error') {
    const missing = NO_SUCH_BLOCK.test(reply.message) || reply.code === NO_SUCH_BLOCK_CODE;
    return missing ? { value: null } : { problem: reply.message };
  }
  if (reply.kind === 'failed') return { problem: reply.message };
  if (reply.value === null) return { value: null };
  // The pending block of many nodes has no hash yet: it is no block that could be referred to.
  if (at === 'pending' && isRecord(reply.value) && reply.value['hash'] === null) {
    return { value: null };
  }
  const block = parseBlock(reply.value);
  if (block === null) return { problem: 'not a block' };
  if (typeof at === 'number' && block.number !== at) return { problem: 'another block' };
  return { value: block };
}

function readTransaction(reply: RpcReply, hash: Hex): ReturnType<Read<TransactionLookup>> {
  if (reply.kind !== 'result') return { problem: reply.message };
  if (reply.value === null) return { value: 'absent' };
  if (!isRecord(reply.value) || parseHash(reply.value['hash']) !== hash.toLowerCase()) {
    return { problem: 'another transaction' };
  }
  return { value: parseHash(reply.value['blockHash']) === null ? 'pooled' : 'mined' };
}
