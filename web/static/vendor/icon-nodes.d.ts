/** For each icon its shapes: the name of an SVG element, and its attributes. */
export const NODES: Record<string, [string, Record<string, string>][]>;
