/** An answer while it is written: Markdown tokens become elements, never through a string of HTML. */
import MarkdownIt from "../vendor/markdown-it.js";
import { marksIn } from "./answer-format.js";

const parser = new MarkdownIt({ html: false, linkify: false, maxNesting: 20 }).disable([
  "image",
  "reference",
  "html_block",
  "html_inline",
]);

/**
 * Tags of markdown-it and the elements they become; headings are below the question's own.
 * @type {Record<string, string>}
 */
const TAGS = {
  p: "p", h1: "h3", h2: "h3", h3: "h4", h4: "h5", h5: "h6", h6: "h6",
  ul: "ul", ol: "ol", li: "li", blockquote: "blockquote", hr: "hr", br: "br",
  strong: "strong", em: "em", s: "s", code: "code",
  table: "table", thead: "thead", tbody: "tbody", tr: "tr", th: "th", td: "td",
}; // prettier-ignore

const LONGEST = 16_000; // characters; hostile patterns cost time beyond that

/**
 * @typedef {import("../vendor/markdown-it.js").Token} Token
 * @typedef {(n: number, nth: number) => HTMLElement | null} DrawChip
 *   the element for the `nth` mark `[n]`, or null while nothing is known of source n
 */

/** Draws the answer of one turn into `host`. Finished blocks are never replaced, so a selection in them stays. */
export class AnswerRenderer {
  /**
   * @param {HTMLElement} host
   * @param {DrawChip} drawChip
   */
  constructor(host, drawChip) {
    this.host = host;
    this.drawChip = drawChip;
    /** @type {{key: string, node: HTMLElement}[]} */
    this.blocks = [];
  }

  /**
   * Draw the blocks of `text` that have changed.
   * @param {string} text
   * @param {Set<number>} cited sources whose citation has arrived
   * @returns {string[]} the text of every block, for screen readers
   */
  draw(text, cited) {
    const source = text.slice(0, LONGEST).split("\n");
    /** @type {Map<number, number>} how often each source was marked in the blocks before */
    const marked = new Map();
    const blocks = topLevelBlocks(parser.parse(source.join("\n"), {}));
    blocks.forEach((tokens, index) => {
      const [start, end] = tokens[0].map ?? [0, 0];
      const lines = source.slice(start, end).join("\n");
      const numbers = marksIn(lines).map(({ n }) => n);
      const known = numbers.filter((n) => cited.has(n)).map((n) => `${n}:${marked.get(n) ?? 0}`);
      const key = `${lines}\u0000${known.join()}`;
      if (this.blocks[index]?.key !== key) {
        this.replace(index, key, renderBlock(tokens, this.drawChip, new Map(marked)));
      }
      for (const n of numbers) marked.set(n, (marked.get(n) ?? 0) + 1);
    });
    for (const { node } of this.blocks.splice(blocks.length)) node.remove();
    return this.blocks.map(({ node }) => node.textContent ?? "");
  }

  /** @param {number} index @param {string} key @param {HTMLElement} node */
  replace(index, key, node) {
    if (this.blocks[index]) this.blocks[index].node.replaceWith(node);
    else this.host.append(node);
    this.blocks[index] = { key, node };
  }
}

/** Tokens divided into the blocks of the outermost level. @param {Token[]} tokens @returns {Token[][]} */
function topLevelBlocks(tokens) {
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
 * @param {DrawChip} drawChip
 * @param {Map<number, number>} marked how often each source was marked before
 */
function renderBlock(tokens, drawChip, marked) {
  const root = document.createElement("div");
  root.className = "block";
  const stack = [/** @type {HTMLElement} */ (root)];
  const top = () => stack[stack.length - 1];
  const draw = (/** @type {Token} */ token) => {
    if (token.type === "inline") token.children?.forEach(draw);
    else if (token.type === "text") addText(top(), token.content, drawChip, marked);
    else if (token.type === "softbreak") top().append(" ");
    else if (token.type === "code_inline") addElement(top(), "code").append(token.content);
    else if (token.type === "fence" || token.type === "code_block") addCode(top(), token.content);
    else if (token.nesting === -1) stack.length > 1 && stack.pop();
    else if (token.hidden && token.nesting === 1) stack.push(top());
    else if (token.type === "link_open") stack.push(addLink(top(), token));
    else if (token.nesting === 1) stack.push(addElement(top(), tagOf(token)));
    else if (token.type === "hr" || token.type === "hardbreak") addElement(top(), tagOf(token));
    else top().append(token.content);
  };
  tokens.forEach(draw);
  return root;
}

/** @param {Token} token */
const tagOf = (token) => TAGS[token.tag] ?? "span";

/** @param {HTMLElement} parent @param {string} tag */
function addElement(parent, tag) {
  const child = document.createElement(tag);
  parent.append(child);
  return child;
}

/** @param {HTMLElement} parent @param {string} content */
function addCode(parent, content) {
  const block = addElement(parent, "pre");
  block.tabIndex = 0;
  addElement(block, "code").append(content);
}

/** A link is text with the address as its title: nothing in an answer can be followed. @param {HTMLElement} parent @param {Token} token */
function addLink(parent, token) {
  const link = addElement(parent, "span");
  link.className = "link";
  link.title = String(token.attrGet("href") ?? "");
  return link;
}

/** @param {HTMLElement} parent @param {string} text @param {DrawChip} drawChip @param {Map<number, number>} marked */
function addText(parent, text, drawChip, marked) {
  let drawnEnd = 0;
  for (const { n, start, end } of marksIn(text)) {
    const nth = marked.get(n) ?? 0;
    marked.set(n, nth + 1);
    const chip = drawChip(n, nth);
    if (!chip) continue;
    parent.append(text.slice(drawnEnd, start).replace(/ $/, "\u00a0"), chip);
    drawnEnd = end;
  }
  parent.append(text.slice(drawnEnd));
}
