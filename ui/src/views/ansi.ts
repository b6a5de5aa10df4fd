// Colours of what steps print: escape sequences become spans of classes that we know; nothing else of them is ever shown.

export interface Span {
  text: string;
  /** Names of our own classes only; "" for plain text. */
  look: string;
}

// Colours and such, other control sequences, links and titles, and what is left of any of them.
const ESCAPES = /\u001b(?:\[([0-9;:]*)m|\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])?/g;
const STYLES: Record<number, string> = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "struck" };
const ENDS: Record<number, string[]> = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["struck"] };

/** How text looks from here on: "" is plain. */
function changed(look: string, codes: string): string {
  let parts = look ? look.split(" ") : [];
  const without = (...prefixes: string[]) => parts.filter((each) => !prefixes.some((prefix) => each.startsWith(prefix)));
  const numbers = codes.split(/[;:]/).map(Number);
  for (let at = 0; at < numbers.length; at += 1) {
    const code = numbers[at] ?? 0;
    const style = STYLES[code];
    if (code === 0) parts = [];
    else if (style) parts = [...without(style), style];
    else if (ENDS[code]) parts = without(...ENDS[code]);
    else if (code === 39) parts = without("fg-");
    else if (code === 49) parts = without("bg-");
    else if (code === 38 || code === 48) {
      const kind = numbers[at + 1];
      const colour = kind === 5 ? ofTable(numbers[at + 2] ?? 0) : kind === 2 ? nearest(numbers.slice(at + 2, at + 5)) : null;
      const layer = code === 38 ? "fg-" : "bg-";
      if (colour !== null) parts = [...without(layer), layer + colour];
      at += kind === 5 ? 2 : kind === 2 ? 4 : 0;
    } else {
      const [layer, base] = code >= 100 ? ["bg-", 92] : code >= 90 ? ["fg-", 82] : code >= 40 ? ["bg-", 40] : ["fg-", 30];
      const colour = code - base;
      if ((code >= 30 && code <= 47) || (code >= 90 && code <= 107)) parts = [...without(layer), layer + colour];
    }
  }
  return parts.join(" ");
}

/** The nearest of the sixteen colours that are readable on light and dark ground. */
function nearest([red = 0, green = 0, blue = 0]: number[]): number {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 40) return most < 50 ? 0 : most < 130 ? 8 : most < 210 ? 7 : 15;
  const half = (most + least) / 2;
  const hue = (red > half ? 1 : 0) + (green > half ? 2 : 0) + (blue > half ? 4 : 0);
  return hue + (most > 215 ? 8 : 0);
}

function ofTable(index: number): number {
  if (index < 16) return Math.max(0, index | 0);
  if (index > 231) return nearest(Array<number>(3).fill(8 + (index - 232) * 10));
  const cube = index - 16;
  const level = (step: number) => (step ? 55 + 40 * step : 0);
  return nearest([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

/** How what comes after the text looks; what stands before its last reset does not matter. */
export function lookAfter(text: string, look: string): string {
  const reset = Math.max(text.lastIndexOf("\u001b[0m"), text.lastIndexOf("\u001b[m"));
  return spans(reset < 0 ? text : text.slice(reset), look).look;
}

/** The text as it can be searched. */
export const plain = (text: string): string => (text.includes("\u001b") ? text.replace(ESCAPES, "") : text);

/** The text in pieces, and how what comes after it looks. */
export function spans(text: string, look: string): { spans: Span[]; look: string } {
  const found: Span[] = [];
  let from = 0;
  for (const match of text.matchAll(ESCAPES)) {
    if (match.index > from) found.push({ text: text.slice(from, match.index), look });
    if (match[1] !== undefined) look = changed(look, match[1] || "0");
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from), look });
  return { spans: found, look };
}
