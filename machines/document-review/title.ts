/** A title without a language model: what the instructions ask about, in their own words. */

const askingWords =
  /^(?:please\s+)?(?:summari[sz]e|describe|explain|extract|list|write|give|report|outline|collect|find|find out|tell|say|show|state|name|analy[sz]e|review|compare)\b\s*(?:(?:me|us)\b\s*)?(?:(?:a|an|the)\s+(?:short\s+|brief\s+)?(?:summary|overview|list|report|outline)\s+(?:of|on|about)\b\s*)?(?:(?:about|on|that)\b\s*)?/i;

const lengthMax = 90;
const wordsMin = 2;

/** @returns undefined when the instructions make no title */
export const titleOfInstructions = (instructions: string): string | undefined => {
  const [first = ''] = instructions.trim().split(/\n|(?<=[\p{L}\p{N}])[.!?:;](?:\s|$)/u);
  const subject = first.replace(askingWords, '').replace(/\s+/g, ' ').trim();
  if (subject.length > lengthMax || subject.split(' ').length < wordsMin) return undefined;
  return subject.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
};
