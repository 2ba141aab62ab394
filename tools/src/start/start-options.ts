export interface StartOptions {
  /** Ends after the demo, with exit code 0 when its table is right and 1 otherwise. */
  readonly once: boolean;
  readonly demo: boolean;
}

const USAGE = `npm start [-- OPTIONS]

  --once      run the demo, stop everything, exit 0 when its table is right and 1 otherwise
  --no-demo   serve only
`;

/** @throws Error naming the first word it does not know. */
export function readStartOptions(words: readonly string[]): StartOptions {
  const known = new Set(['--once', '--no-demo']);
  const unknown = words.find((word) => !known.has(word));
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}\n\n${USAGE}`);
  const options = { once: words.includes('--once'), demo: !words.includes('--no-demo') };
  if (options.once && !options.demo) throw new Error(`--once runs the demo\n\n${USAGE}`);
  return options;
}
