/** An answer as it grows: Markdown tokens to elements, never through a string of HTML. */
import MarkdownIt from "../vendor/markdown-it.js";

const parser = new /** @type {any} */ (MarkdownIt)({ html: false, linkify: false, maxNesting: 20 }).disable([
  "image",
  "reference",
  "html_block",
  "html_inline",
]);

/** What markdown-it may ask for, and what it gets; headings sit below the question's own. */
const TAGS = {
  p: "p", h1: "h3", h2: "h3", h3: "h4", h4: "h5", h5: "h6", h6: "h6",
  ul: "ul", ol: "ol", li: "li", blockquote: "blockquote", hr: "hr", br: "br",
  strong: "strong", em: "em", s: "s", code: "code",
  table: "table", thead: "thead", tbody: "tbody", tr: "tr", th: "th", td: "td",
}; // prettier-ignore

const LONGEST = 16_000; // characters; hostile patterns cost time beyond that
const MARK = /\[(\d{1,2})\]/g;

/**
 * @typedef {any} Token of markdown-it
 * @typedef {(n: number, nth: number) => HTMLElement | null} Chip
 *   the element for the `nth` mark `[n]`, or null while nothing is known of source n
 */

/** The answer of one turn, drawn into `host`. Finished blocks are never replaced, so a selection in them survives. */
export class Writing {
  /**
   * @param {HTMLElement} host
   * @param {Chip} chip
   */
  constructor(host, chip) {
    this.host = host;
    this.chip = chip;
    /** @type {{key: string, node: HTMLElement}[]} */
    this.blocks = [];
  }

  /**
   * Draw all of `text` anew where it changed.
   * @param {string} text
   * @param {Set<number>} cited sources whose citation has arrived
   * @returns {string[]} the words of every block, for those who listen
   */
  draw(text, cited) {
    const source = text.slice(0, LONGEST).split("\n");
    /** @type {Map<number, number>} */
    const seen = new Map();
    const blocks = topLevel(parser.parse(source.join("\n"), {}));
    blocks.forEach((tokens, at) => {
      const [from, to] = tokens[0].map ?? [0, 0];
      const lines = source.slice(from, to).join("\n");
      const numbers = [...lines.matchAll(MARK)].map((match) => Number(match[1]));
      const known = numbers.filter((n) => cited.has(n)).map((n) => `${n}:${seen.get(n) ?? 0}`);
      const key = `${lines}\u0000${known.join()}`;
      if (this.blocks[at]?.key !== key) this.replace(at, key, render(tokens, this.chip, new Map(seen)));
      for (const n of numbers) seen.set(n, (seen.get(n) ?? 0) + 1);
    });
    for (const { node } of this.blocks.splice(blocks.length)) node.remove();
    return this.blocks.map(({ node }) => node.textContent ?? "");
  }

  /** @param {number} at @param {string} key @param {HTMLElement} node */
  replace(at, key, node) {
    if (this.blocks[at]) this.blocks[at].node.replaceWith(node);
    else this.host.append(node);
    this.blocks[at] = { key, node };
  }
}

/** Tokens cut into the blocks of the outermost level. @param {Token[]} tokens @returns {Token[][]} */
function topLevel(tokens) {
  /** @type {Token[][]} */
  const blocks = [];
  let depth = 0;
  for (const token of tokens) {
    if (depth === 0) blocks.push([]);
    blocks[blocks.length - 1].push(token);
    depth += token.nesting;
  }
  return blocks;
}

/**
 * One block as an element.
 * @param {Token[]} tokens
 * @param {Chip} chip
 * @param {Map<number, number>} seen how often each source was marked before
 */
function render(tokens, chip, seen) {
  const root = document.createElement("div");
  root.className = "block";
  const stack = [/** @type {HTMLElement} */ (root)];
  const top = () => stack[stack.length - 1];
  const draw = (/** @type {Token} */ token) => {
    if (token.type === "inline") token.children.forEach(draw);
    else if (token.type === "text") addText(top(), token.content, chip, seen);
    else if (token.type === "softbreak") top().append(" ");
    else if (token.type === "code_inline") add(top(), "code").append(token.content);
    else if (token.type === "fence" || token.type === "code_block") addCode(top(), token.content);
    else if (token.nesting === -1) stack.length > 1 && stack.pop();
    else if (token.hidden && token.nesting === 1) stack.push(top());
    else if (token.type === "link_open") stack.push(addLink(top(), token));
    else if (token.nesting === 1) stack.push(add(top(), tagOf(token)));
    else if (token.type === "hr" || token.type === "hardbreak") add(top(), tagOf(token));
    else top().append(token.content);
  };
  tokens.forEach(draw);
  return root;
}

/** @param {Token} token */
const tagOf = (token) => TAGS[/** @type {keyof typeof TAGS} */ (token.tag)] ?? "span";

/** @param {HTMLElement} parent @param {string} tag */
function add(parent, tag) {
  const child = document.createElement(tag);
  parent.append(child);
  return child;
}

/** @param {HTMLElement} parent @param {string} content */
function addCode(parent, content) {
  const box = add(parent, "pre");
  box.tabIndex = 0;
  add(box, "code").append(content);
}

/** A link is words with the address in a title: nothing of an answer may lead anywhere by itself. @param {HTMLElement} parent @param {Token} token */
function addLink(parent, token) {
  const link = add(parent, "span");
  link.className = "link";
  link.title = token.attrGet("href") ?? "";
  return link;
}

/** @param {HTMLElement} parent @param {string} text @param {Chip} chip @param {Map<number, number>} seen */
function addText(parent, text, chip, seen) {
  let at = 0;
  for (const match of text.matchAll(MARK)) {
    const n = Number(match[1]);
    const nth = seen.get(n) ?? 0;
    seen.set(n, nth + 1);
    const drawn = chip(n, nth);
    if (!drawn) continue;
    parent.append(text.slice(at, match.index).replace(/ $/, "\u00a0"), drawn);
    at = match.index + match[0].length;
  }
  parent.append(text.slice(at));
}
