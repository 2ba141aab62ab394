/** How much a piece of text wants to be seen. */
export interface Style {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

const ansi = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const same = (text: string) => text;

/** Colours in a terminal, unless NO_COLOR (https://no-color.org) is set to anything. */
export function styleFor(
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): Style {
  const coloured = isTerminal && (environment['NO_COLOR'] ?? '') === '';
  return coloured
    ? { good: ansi(32), bad: ansi(31), faint: ansi(2), strong: ansi(1) }
    : { good: same, bad: same, faint: same, strong: same };
}
