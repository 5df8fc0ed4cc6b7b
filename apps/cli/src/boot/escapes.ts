const SIMPLE: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  e: '\x1b',
  '0': '\0',
  '\\': '\\',
};

/**
 * Reads the escapes of `--send`: a shell's quotes make a newline hard to type, so `\n` stands for one.
 * @throws RangeError naming an escape that does not exist
 */
export function unescapeText(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|[^]|$)/g, (escape, body: string) => {
    if (body.length === 3) return String.fromCharCode(parseInt(body.slice(1), 16));
    const replacement = SIMPLE[body];
    if (replacement === undefined) {
      throw new RangeError(
        `There is no escape "${escape}". Use \\n, \\r, \\t, \\e, \\0, \\xHH, or \\\\ for a backslash.`,
      );
    }
    return replacement;
  });
}
