export { default } from "markdown-it";
export type { Token } from "markdown-it";
