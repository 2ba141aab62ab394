import type { Transport } from 'viem';
import type { Hex } from '../domain/brand';
import { NonceError } from '../domain/errors/nonce-error';
import { submitterParts } from '../domain/submitter';
import type { NonceContext } from '../template/nonce-context';
import type { NonceSource } from './current-nonces';

const SENDING = new Set(['eth_sendRawTransaction', 'eth_sendRawTransactionSync']);

/**
 * A viem transport that writes the intent of the running handler before its bytes leave. Requests
 * outside a handler, and transactions of other accounts or chains, pass as they are.
 */
export function nonceTransport<Inner extends Transport>(source: NonceSource, inner: Inner): Inner {
  const wrapped: Transport = (parameters) => {
    const transport = inner(parameters);
    const request = async (
      call: { method: string; params?: unknown },
      options?: never,
    ): Promise<unknown> => {
      const context = source.currentContext;
      if (context !== undefined && SENDING.has(call.method)) {
        await declare(source, context, rawTransactionOf(call.params));
      }
      return transport.request(call as never, options);
    };
    return { ...transport, request: request as typeof transport.request };
  };
  return wrapped as Inner;
}

async function declare(source: NonceSource, context: NonceContext, rawTx: Hex): Promise<void> {
  const signed = source.transactions.read(rawTx);
  const { chainId, address } = submitterParts(context.submitter);
  if (signed.chainId !== null && signed.chainId !== chainId) return;
  if ((await source.transactions.sender(rawTx)) !== address) return;
  if (signed.nonce !== null && signed.nonce !== context.nonce) {
    const detail = `is signed for nonce ${signed.nonce}, but this handler holds ${context.nonce}`;
    throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/params/0', detail }] });
  }
  await context.intent({ txHash: signed.txHash, rawTx });
}

function rawTransactionOf(params: unknown): Hex {
  const first: unknown = Array.isArray(params) ? params[0] : undefined;
  if (typeof first === 'string' && first.startsWith('0x')) return first as Hex;
  throw new NonceError('NONCE_VALIDATION', {
    errors: [{ pointer: '/params/0', detail: 'must be a signed transaction' }],
  });
}
