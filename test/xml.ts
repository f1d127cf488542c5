/** A strict reader of XML documents, as far as ECL writes them: it throws where a browser shows an error. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

const plain = (text: string): string => {
  if (/[<>]/.test(text)) throw new Error(`markup in a text: ${text}`);
  if (/[^\P{Control}\t\n\r\u0080-\u009f]|\p{Surrogate}|[\ufffe\uffff]/u.test(text)) {
    throw new Error(`a character that XML does not hold: ${JSON.stringify(text)}`);
  }
  return text.replace(/&[^;]*;?/g, (entity) => {
    const found = entities[entity];
    if (found === undefined) throw new Error(`no entity: ${entity}`);
    return found;
  });
};

const attributesOf = (text: string): Record<string, string> => {
  const found: Record<string, string> = {};
  const rest = text.replace(/\s+([a-zA-Z][\w:-]*)="([^"]*)"/g, (_, name: string, value: string) => {
    if (name in found) throw new Error(`twice: ${name}`);
    found[name] = plain(value);
    return '';
  });
  if (rest.trim() !== '') throw new Error(`no attributes: ${rest}`);
  return found;
};

export const readXml = (document: string): XmlElement => {
  const root: XmlElement & { children: (XmlElement | string)[] } = {
    name: '',
    attributes: {},
    children: [],
  };
  const open = [root];
  let end = 0;
  const text = (until: number): void => {
    const found = plain(document.slice(end, until));
    if (found !== '') open.at(-1)!.children.push(found);
  };
  for (const match of document.matchAll(/<(\/?)([a-z][\w:-]*)((?:[^<>"]|"[^"]*")*?)(\/?)>/gi)) {
    text(match.index);
    end = match.index + match[0].length;
    const [, closes, name, rest, closesItself] = match;
    if (closes === '/') {
      const closed = open.pop();
      if (closed?.name !== name) throw new Error(`</${name}> closes <${closed?.name}>`);
      continue;
    }
    const element = { name: name!, attributes: attributesOf(rest!), children: [] };
    open.at(-1)!.children.push(element);
    if (closesItself === '') open.push(element);
  }
  text(document.length);
  const elements = root.children.filter((each) => typeof each !== 'string');
  if (open.length !== 1 || elements.length !== 1) throw new Error('not one element');
  return elements[0]!;
};

/** An element and all below it, in the order of the document. */
export const allElements = (element: XmlElement): XmlElement[] => [
  element,
  ...element.children.flatMap((child) => (typeof child === 'string' ? [] : allElements(child))),
];

export const textOf = (element: XmlElement): string =>
  element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
