"""Formulas that no program has calculated yet: as they are written, and what they join to."""

from __future__ import annotations

MAX_FORMULA_CHARS = 1_000
_JOINING = ("CONCATENATE(", "CONCAT(", "_xlfn.CONCAT(")


def formula_text(formula: object) -> str | None:
    """A formula as it is written, and the text it gives where it only joins texts (`="a"&"b"`,
    `CONCATENATE`). None for one that is not there."""
    text = formula[:MAX_FORMULA_CHARS] if isinstance(formula, str) else ""
    if not text.strip("="):
        return None
    joined = _joined_texts(text)
    return text if joined is None else f"{text} {joined}"


def _joined_texts(formula: str) -> str | None:
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token, TokenizerError

    try:
        tokens = Tokenizer(formula).items
    except TokenizerError:
        return None
    texts: list[str] = []
    for token in tokens:
        if token.type == Token.OPERAND and token.subtype == Token.TEXT:
            texts.append(token.value[1:-1].replace('""', '"'))
        elif not (
            token.type in (Token.SEP, Token.WSPACE)
            or (token.type == Token.OP_IN and token.value == "&")
            or (token.type == Token.FUNC and token.value in (*_JOINING, ")"))
        ):
            return None
    return "".join(texts) if len(texts) > 1 else None
