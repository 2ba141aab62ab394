import type { Stack } from '../stack/stack';
import type { RunningApps } from './apps';

/** Where everything is, and commands that work as they stand. */
export function welcome(apps: RunningApps, stack: Stack, witnessDir: string): readonly string[] {
  const chainId = stack.chain?.chainId ?? 1;
  const submitter = `eip155:${String(chainId)}:0x00000000000000000000000000000000000000aa`;
  const auth = `-H "Authorization: Bearer ${apps.apiKey}"`;
  const json = '-H "Content-Type: application/json"';
  return [
    '',
    `API             ${apps.apiUrl}/v1        documentation ${apps.apiUrl}/docs`,
    `API health      ${apps.apiAdminUrl}/health   metrics ${apps.apiAdminUrl}/metrics`,
    `worker health   ${apps.workerAdminUrl}/health   metrics ${apps.workerAdminUrl}/metrics`,
    `Postgres        ${stack.databaseUrl}`,
    `Redis           ${stack.redisUrl ?? 'not available'}`,
    `chain           ${stack.chain?.rpcUrl ?? 'not available'}`,
    `witnesses       ${witnessDir}`,
    '',
    'Try, in another terminal:',
    `  curl -s ${auth} ${apps.apiUrl}/v1/submitters`,
    `  curl -s ${auth} ${json} -d '{"count":3}' ${apps.apiUrl}/v1/submitters/${submitter}/allocations`,
    `  curl -s ${auth} ${apps.apiUrl}/v1/submitters/${submitter}`,
    '',
  ];
}
