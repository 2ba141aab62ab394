import type { Style } from './style';

/** Where a command speaks. Results go to `out`, progress and failures to `err`. */
export interface Terminal {
  readonly style: Style;
  /** One JSON document instead of text. */
  readonly json: boolean;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** The result of a command: its JSON, or the lines people read. */
export function show(terminal: Terminal, result: unknown, lines: () => readonly string[]): void {
  if (terminal.json) terminal.out(JSON.stringify(result, null, 2));
  else for (const line of lines()) terminal.out(line);
}
