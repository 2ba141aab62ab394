import { NonceError } from '../domain/errors/nonce-error';
import type { ErrorVerdict } from './decide-settlement';

/** The fields by which error classes of different libraries are told apart. */
interface Foreign {
  readonly name: string;
  readonly message: string;
  readonly code: string | number | undefined;
  readonly status: number | undefined;
  readonly record: Readonly<Record<string, unknown>>;
  readonly error: unknown;
}

export interface HandlerErrorRow {
  readonly dialect: 'viem' | 'ethers' | 'undici' | 'node' | 'http' | 'json-rpc' | 'plain';
  readonly meaning: string;
  readonly verdict: ErrorVerdict;
  matches(foreign: Foreign): boolean;
}

const names = (...wanted: string[]) => {
  const set = new Set(wanted);
  return ({ name }: Foreign) => set.has(name);
};
const codes = (...wanted: string[]) => {
  const set = new Set<unknown>(wanted);
  return ({ code }: Foreign) => set.has(code);
};
/** viem's BaseError, in any of its versions: its class object differs between copies of viem. */
const isViem = ({ record }: Foreign) =>
  typeof record['walk'] === 'function' && typeof record['shortMessage'] === 'string';
const isEthers = ({ code, record }: Foreign) =>
  typeof code === 'string' && typeof record['shortMessage'] === 'string';
const isEthersWith =
  (test: (foreign: Foreign) => boolean) =>
  (foreign: Foreign): boolean =>
    isEthers(foreign) && test(foreign);

/** A request that broke on its way proves nothing about what the other side received. */
const LOST_REQUEST =
  /time(d[ -]?|[ -]?)out|socket hang up|network|connection|disconnected|ECONN|fetch failed|aborted/i;
/** Words of nodes about transactions they were sent. */
const NODE_ANSWER =
  /nonce too (low|high)|already known|known transaction|already imported|already exists|underpriced|txpool|mempool|insufficient funds|intrinsic gas|exceeds block gas|in-flight|rate limit|too many requests|internal error|-32[0-9]{3}/i;

/**
 * What the errors of the libraries around a handler prove: `clean` cannot come from a send,
 * `exposed` may. The first row that fits any error of the chain of causes decides, so a row may
 * rely on the rows above it. Where nothing fits, an Error is the handler's own and clean; anything
 * else that was thrown is unknown and exposed.
 */
export const HANDLER_ERRORS: readonly HandlerErrorRow[] = [
  {
    dialect: 'viem',
    meaning: 'gas could not be estimated, so nothing was signed',
    verdict: 'clean',
    matches: names('EstimateGasExecutionError'),
  },
  {
    dialect: 'viem',
    meaning: 'the request was refused before it was signed',
    verdict: 'clean',
    matches: (foreign) =>
      isViem(foreign) &&
      /^(Account(NotFound|TypeNotSupported)|Chain(Mismatch|NotFound)|ClientChainNotConfigured|Invalid(Address|ChainId|SerializableTransaction|StorageKeySize)|FeeCapTooHigh|TipAboveFeeCap|FeeConflict|Eip1559FeesNotSupported|MaxFeePerGasTooLow|Abi\w*|IntegerOutOfRange|SizeExceedsPaddingSize)Error$/.test(
        foreign.name,
      ),
  },
  {
    dialect: 'viem',
    meaning: 'a contract call was refused by its simulation',
    verdict: 'clean',
    matches: ({ name, record }) =>
      name === 'CallExecutionError' &&
      (record['cause'] as Error | undefined)?.name === 'ExecutionRevertedError',
  },
  {
    dialect: 'ethers',
    meaning: 'an argument or the signer was refused before sending',
    verdict: 'clean',
    matches: isEthersWith(
      codes(
        'INVALID_ARGUMENT',
        'MISSING_ARGUMENT',
        'UNEXPECTED_ARGUMENT',
        'NUMERIC_FAULT',
        'BUFFER_OVERRUN',
        'VALUE_MISMATCH',
        'UNSUPPORTED_OPERATION',
        'UNCONFIGURED_NAME',
        'ACTION_REJECTED',
      ),
    ),
  },
  {
    dialect: 'ethers',
    meaning: 'gas could not be estimated, so nothing was signed',
    verdict: 'clean',
    matches: isEthersWith(
      ({ code, record }) => code === 'CALL_EXCEPTION' && record['action'] === 'estimateGas',
    ),
  },
  {
    dialect: 'undici',
    meaning: 'the request could not be built',
    verdict: 'clean',
    matches: codes('UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED'),
  },
  {
    dialect: 'viem',
    meaning: 'a request broke, or a node answered it with an error',
    verdict: 'exposed',
    matches: (foreign) =>
      isViem(foreign) &&
      /^(HttpRequest|WebSocketRequest|SocketClosed|Timeout|RpcRequest|TransactionExecution|UnknownNode|UnknownRpc|ResponseBodyTooLarge|WaitForTransactionReceiptTimeout|Transaction(NotFound|ReceiptNotFound))Error$|RpcError$/.test(
        foreign.name,
      ),
  },
  {
    dialect: 'undici',
    meaning: 'a request broke on its way',
    verdict: 'exposed',
    matches: ({ code, name, message }) =>
      String(code).startsWith('UND_ERR_') || (name === 'TypeError' && message === 'fetch failed'),
  },
  {
    dialect: 'node',
    meaning: 'a connection broke, was refused or timed out',
    verdict: 'exposed',
    matches: ({ code }) =>
      /^(ECONN|ESOCKET|ENET|EHOST|EAI_|ENOTFOUND|ETIMEDOUT|EPIPE|EPROTO|ERR_(SOCKET|STREAM|HTTP2|TLS|SSL))/.test(
        String(code),
      ),
  },
  {
    dialect: 'node',
    meaning: 'somebody stopped waiting for an answer',
    verdict: 'exposed',
    matches: names('AbortError', 'TimeoutError'),
  },
  {
    dialect: 'ethers',
    meaning: 'a contract call was refused by its simulation',
    verdict: 'clean',
    matches: isEthersWith(
      ({ code, record }) => code === 'CALL_EXCEPTION' && record['action'] === 'call',
    ),
  },
  {
    dialect: 'ethers',
    meaning: 'a request broke, a node answered with an error, or a sent transaction failed',
    verdict: 'exposed',
    matches: isEthers,
  },
  {
    dialect: 'viem',
    meaning: 'any other error of viem',
    verdict: 'exposed',
    matches: isViem,
  },
  {
    dialect: 'http',
    meaning: 'a server failed, was too slow or refused for load, or an HTTP client gave up',
    verdict: 'exposed',
    matches: ({ status, record }) =>
      record['isAxiosError'] === true ||
      (status !== undefined && (status >= 500 || status === 408 || status === 429)),
  },
  {
    dialect: 'json-rpc',
    meaning: 'an error object of a node',
    verdict: 'exposed',
    matches: ({ code, error }) =>
      (typeof code === 'number' && code <= -32_000 && code >= -32_768) ||
      (typeof code === 'number' && !(error instanceof Error)),
  },
  {
    dialect: 'plain',
    meaning: 'the text speaks of a request that broke',
    verdict: 'exposed',
    matches: ({ message }) => LOST_REQUEST.test(message),
  },
  {
    dialect: 'plain',
    meaning: 'the text is the answer of a node to a transaction',
    verdict: 'exposed',
    matches: ({ message }) => NODE_ANSWER.test(message),
  },
];

/** Causes deeper than this are not looked at. */
const MAX_CAUSES = 20;

export function classifyHandlerError(error: unknown): ErrorVerdict {
  const row = findHandlerErrorRow(error);
  if (row !== undefined) return row.verdict;
  return error instanceof Error ? 'clean' : 'exposed';
}

/** The row that decides about an error; undefined when none fits. */
export function findHandlerErrorRow(error: unknown): HandlerErrorRow | undefined {
  const causes = causesOf(error);
  return HANDLER_ERRORS.find((row) => causes.some((cause) => row.matches(cause)));
}

function causesOf(error: unknown): readonly Foreign[] {
  const found: Foreign[] = [];
  const open: unknown[] = [error];
  while (open.length > 0 && found.length < MAX_CAUSES) {
    const next = open.shift();
    // What this library refuses before sending is clean by itself; its own causes are texts of ours.
    if (next === undefined || next === null || next instanceof NonceError) continue;
    const foreign = toForeign(next);
    found.push(foreign);
    open.push(foreign.record['cause']);
    const { errors } = foreign.record as { errors?: unknown };
    if (next instanceof AggregateError && Array.isArray(errors))
      open.push(...(errors as unknown[]));
  }
  return found;
}

function toForeign(error: unknown): Foreign {
  const record = (typeof error === 'object' ? error : {}) as Readonly<Record<string, unknown>>;
  const { name, message, code } = record;
  const status = record['status'] ?? record['statusCode'];
  return {
    name: typeof name === 'string' ? name : '',
    message: typeof message === 'string' ? message : String(error),
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    status: typeof status === 'number' ? status : undefined,
    record,
    error,
  };
}
