// A terminal for bytes from a guest nobody trusts. What xterm.js would let the guest do beyond drawing text is taken away
// here: no window titles, no hyperlinks, no colour-palette changes, no clipboard, and no answers typed on the person's
// behalf unless the person is typing there.
//
// Sequences: XTerm Control Sequences (Thomas E. Dickey), "Functions using CSI" and "Operating System Commands";
// ECMA-48 5th ed., 8.3.35 DSR and 8.3.24 DA.
import { Terminal } from '@xterm/xterm';

export const SCROLLBACK_LINES = 100_000;
export const TERMINAL_FONT = '"JetBrains Mono Variable", ui-monospace, "DejaVu Sans Mono", Menlo, monospace';

const THEME = {
  background: '#0b0e12',
  foreground: '#d7dde5',
  cursor: '#2dd4b5',
  cursorAccent: '#0b0e12',
  selectionBackground: '#2b5f7c99',
  black: '#1b2129',
  red: '#ff7b72',
  green: '#56d38c',
  yellow: '#e3b341',
  blue: '#6cb6ff',
  magenta: '#d2a8ff',
  cyan: '#56d4dd',
  white: '#c9d1d9',
  brightBlack: '#6e7681',
  brightRed: '#ffa198',
  brightGreen: '#7ee7a8',
  brightYellow: '#f2cc60',
  brightBlue: '#9ecbff',
  brightMagenta: '#e2c5ff',
  brightCyan: '#8be9ee',
  brightWhite: '#f5f7fa',
};

/** `mayAnswer` decides, when the guest asks the terminal something (cursor position, device type), whether it answers. */
export function createTerminal(mayAnswer: () => boolean): Terminal {
  const terminal = new Terminal({
    allowProposedApi: false,
    cursorBlink: true,
    fontFamily: TERMINAL_FONT,
    fontSize: 13,
    lineHeight: 1.2,
    scrollback: SCROLLBACK_LINES,
    theme: THEME,
    windowOptions: {},
  });
  const swallow = (): boolean => true;
  const swallowUnlessAnswering = (): boolean => !mayAnswer();
  const parser = terminal.parser;
  // OSC 0, 1, 2: titles. 4, 10–12, 104, 110–112: palette. 8: hyperlinks. 52: clipboard.
  for (const command of [0, 1, 2, 4, 8, 10, 11, 12, 52, 104, 110, 111, 112])
    parser.registerOscHandler(command, swallow);
  // DECRQSS and the window reports: nothing a serial console needs.
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, swallow);
  parser.registerCsiHandler({ final: 't' }, swallow);
  // Focus reports (mode 1004) would type into the guest whenever the person changes windows.
  parser.registerCsiHandler({ prefix: '?', final: 'h' }, (params) => params.length === 1 && params[0] === 1004);
  for (const id of [
    { final: 'c' }, // DA1
    { prefix: '>', final: 'c' }, // DA2
    { final: 'n' }, // DSR
    { prefix: '?', final: 'n' }, // DSR, DEC
    { intermediates: '$', final: 'p' }, // DECRQM
    { prefix: '?', intermediates: '$', final: 'p' }, // DECRQM, DEC
  ]) {
    parser.registerCsiHandler(id, swallowUnlessAnswering);
  }
  return terminal;
}
