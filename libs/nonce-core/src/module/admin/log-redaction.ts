/**
 * What a log line must never carry: keys of callers, signed bytes and addresses with credentials.
 * The form is pino's `redact` option.
 */
export const LOG_REDACTION = {
  paths: [
    'req.headers.authorization',
    'req.headers.cookie',
    'authorization',
    'apiKey',
    'rawTx',
    '*.rawTx',
    'raw_tx',
    '*.raw_tx',
    'databaseUrl',
    'redisUrl',
    'rpcUrls',
    'wsUrls',
    'password',
    '*.password',
  ],
  censor: '[redacted]',
};
