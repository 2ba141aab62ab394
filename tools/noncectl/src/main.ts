import { noncectl } from './noncectl';

void noncectl(process.argv.slice(2), {
  environment: process.env,
  isTerminal: process.stdout.isTTY,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
}).then((exitCode) => {
  process.exitCode = exitCode;
});
