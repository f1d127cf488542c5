/** Elements of SVG as text. */
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What XML 1.0 cannot hold at all, lone halves of surrogate pairs included. */
const impossible = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

/** As content of an element or value of an attribute. */
export const escaped = (text: string): string =>
  text.replace(impossible, '\u{FFFD}').replace(/[&<>"']/g, (each) => escapes[each]!);

/** Two digits are finer than any screen. */
export const number = (value: number): string => String(Math.round(value * 100) / 100);

/** An element; its content is markup already. */
export const element = (
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content = '',
): string => {
  const all = Object.entries(attributes)
    .map(
      ([key, value]) => ` ${key}="${typeof value === 'number' ? number(value) : escaped(value)}"`,
    )
    .join('');
  return content === '' ? `<${name}${all}/>` : `<${name}${all}>${content}</${name}>`;
};
