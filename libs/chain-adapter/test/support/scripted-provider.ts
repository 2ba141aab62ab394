import type { Hex } from '@noncekit/nonce-core/domain';
import { refuse, type Client } from './client-words';
import type { ScriptedBlock, ScriptedChain } from './scripted-chain';
import { BreakOff, ScriptedNode, type NodeAnswer, type NodeRequest } from './scripted-node';
import type { ScriptedTransaction } from './scripted-transaction';

/** What becomes of one submission besides the node's own answer. */
export type SendFate = 'reply-lost' | 'not-reached' | 'rate-limited' | 'internal-error';

const GWEI = 10n ** 9n;
const EMPTY_BLOOM = `0x${'0'.repeat(512)}`;

/**
 * A node over the scripted chain, on real HTTP. It tells the truth until told otherwise: an old
 * view, counts ahead of the chain, lost replies, refusals in the words of one client.
 */
export class ScriptedProvider {
  client: Client = 'geth';
  /** It sees the chain so many blocks ago; submissions reach the real pool all the same. */
  lagBlocks = 0;
  /** Added to every transaction count it names. */
  countsAhead = 0;
  /** What becomes of its next submissions, in order. */
  readonly fates: SendFate[] = [];

  private constructor(
    readonly node: ScriptedNode,
    private readonly chain: ScriptedChain,
  ) {
    for (const [method, answer] of Object.entries(this.methods())) {
      node.on(method, async ({ params }) => answer(params));
    }
  }

  static async start(chain: ScriptedChain): Promise<ScriptedProvider> {
    return new ScriptedProvider(await ScriptedNode.start(), chain);
  }

  get url(): string {
    return this.node.url;
  }

  private methods(): Record<string, (params: NodeRequest['params']) => Promised> {
    const { chain } = this;
    return {
      eth_chainId: () => ({ result: hex(chain.chainId) }),
      eth_blockNumber: () => ({ result: hex(this.headNumber) }),
      eth_maxPriorityFeePerGas: () => ({ result: hex(GWEI) }),
      eth_gasPrice: () => ({ result: hex(chain.baseFee + GWEI) }),
      eth_getBlockByNumber: ([at, full]) => this.block(this.find(at), full === true),
      eth_getBlockByHash: ([hash, full]) => {
        const block = this.visible.find((candidate) => candidate.hash === hash);
        return this.block(block, full === true);
      },
      eth_getBalance: ([address, at]) => {
        const { balance } = chain.accountAt(address as Hex, this.find(at) ?? chain.head);
        return { result: hex(balance) };
      },
      eth_getCode: ([address, at]) => {
        const { delegate } = chain.accountAt(address as Hex, this.find(at) ?? chain.head);
        return { result: delegate === undefined ? '0x' : `0xef0100${delegate.slice(2)}` };
      },
      eth_getTransactionCount: ([address, at]) => this.count(address as Hex, at),
      eth_getTransactionByHash: ([hash]) => ({ result: this.transaction(hash as Hex) }),
      eth_getTransactionReceipt: ([hash]) => ({ result: this.receipt(hash as Hex) }),
      eth_sendRawTransaction: ([rawTx]) => this.submit(rawTx as Hex),
    };
  }

  private get headNumber(): number {
    return Math.max(0, this.chain.head.number - this.lagBlocks);
  }

  private get visible(): readonly ScriptedBlock[] {
    const numbers = Array.from({ length: this.headNumber + 1 }, (_, number) => number);
    return numbers.flatMap((number) => this.chain.blockAt(number) ?? []);
  }

  private find(at: unknown): ScriptedBlock | undefined {
    const { headNumber } = this;
    if (at === undefined || at === 'latest' || at === 'pending') {
      return this.chain.blockAt(headNumber);
    }
    if (at === 'finalized' || at === 'safe') {
      return this.chain.blockAt(Math.min(this.chain.finalized, headNumber));
    }
    const number = at === 'earliest' ? 0 : Number(at);
    return number <= headNumber ? this.chain.blockAt(number) : undefined;
  }

  private block(block: ScriptedBlock | undefined, full: boolean): NodeAnswer {
    if (block === undefined) return { result: null };
    const { number, hash, parentHash, baseFee, transactions } = block;
    return {
      result: {
        number: hex(number),
        hash,
        parentHash,
        baseFeePerGas: hex(baseFee),
        gasLimit: hex(this.chain.blockGasLimit),
        transactions: transactions.map((tx) => (full ? transactionText(tx, block) : tx.hash)),
      },
    };
  }

  private count(address: Hex, at: unknown): NodeAnswer {
    const block = this.find(at);
    if (block === undefined) return { error: { code: -32_000, message: 'header not found' } };
    const { count } = this.chain.accountAt(address, block);
    const from = address.toLowerCase() as Hex;
    const told = at === 'pending' ? this.chain.pool.pendingCount(from, count) : count;
    return { result: hex(told + this.countsAhead) };
  }

  private inclusion(hash: Hex): [ScriptedTransaction, ScriptedBlock] | undefined {
    const block = this.chain.inclusionOf(hash);
    const tx = block?.transactions.find((candidate) => candidate.hash === hash);
    if (block === undefined || tx === undefined || block.number > this.headNumber) return undefined;
    return [tx, block];
  }

  private transaction(hash: Hex): unknown {
    const included = this.inclusion(hash);
    if (included !== undefined) return transactionText(...included);
    const pooled = this.chain.pool.find(hash);
    return pooled === undefined ? null : transactionText(pooled, null);
  }

  private receipt(hash: Hex): unknown {
    const included = this.inclusion(hash);
    if (included === undefined) return null;
    const [tx, block] = included;
    return {
      transactionHash: hash,
      transactionIndex: hex(block.transactions.indexOf(tx)),
      blockNumber: hex(block.number),
      blockHash: block.hash,
      from: tx.from,
      to: tx.to,
      status: '0x1',
      logs: [],
      logsBloom: EMPTY_BLOOM,
    };
  }

  private async submit(rawTx: Hex): Promise<NodeAnswer> {
    const fate = this.fates.shift();
    if (fate === 'not-reached') throw new BreakOff('reset');
    if (fate === 'rate-limited') throw new BreakOff({ httpStatus: 429 });
    if (fate === 'internal-error') return { error: { code: -32_603, message: 'Internal error' } };
    const answer = await this.chain.submit(rawTx);
    if (fate === 'reply-lost') throw new BreakOff('reset');
    return typeof answer === 'string' ? refuse(this.client, answer) : { result: answer.hash };
  }
}

type Promised = NodeAnswer | Promise<NodeAnswer>;

function transactionText(tx: ScriptedTransaction, block: ScriptedBlock | null): unknown {
  return {
    hash: tx.hash,
    from: tx.from,
    to: tx.to,
    nonce: hex(tx.nonce),
    value: hex(tx.value),
    gas: hex(tx.gas),
    maxFeePerGas: hex(tx.maxFeePerGas),
    maxPriorityFeePerGas: hex(tx.maxPriorityFeePerGas),
    blockNumber: block === null ? null : hex(block.number),
    blockHash: block === null ? null : block.hash,
  };
}

function hex(quantity: number | bigint): Hex {
  return `0x${quantity.toString(16)}`;
}
