// The form's `send` fields hold one line of text; escapes give the bytes a keyboard would: \n \r \t \e \\ \xNN.

const SIMPLE: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', e: '\x1b', '\\': '\\' };

export function unescapeText(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (whole, hex: string | undefined, simple: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    return (simple !== undefined && SIMPLE[simple]) || whole;
  });
}

export function escapeText(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this function is about
  return text.replace(/[\\\x00-\x1f\x7f]/g, (character) => {
    const simple = Object.entries(SIMPLE).find(([, value]) => value === character)?.[0];
    return simple !== undefined ? `\\${simple}` : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
