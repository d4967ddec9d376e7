"""What docs/counts.py counts, on small examples of each."""

from __future__ import annotations

import ast

from docs import counts


def tree(source: str) -> ast.Module:
    return ast.parse(source)


def test_state_literals_are_bare_or_quoted_in_sql_and_no_docstring() -> None:
    source = """
def f():
    "pending"
    db.execute("UPDATE files SET state = 'pending' WHERE state IN ('known', 'failed')")
    return "missing", "something else"
"""
    assert counts.state_literals(tree(source)) == 4


def test_a_forwarding_function_hands_the_same_arguments_to_another_object() -> None:
    source = """
class A:
    def forwards(self, a, *, b): return self._part.forwards(a, b=b)
    def adds(self, a): return self._part.adds(a, 1)
    def turns(self, a, b): return self._part.turns(b, a)
    def own(self, a): return self.other(a)
    @property
    def name(self): return self._part.name()
    def works(self, a):
        a += 1
        return self._part.works(a)
"""
    assert list(counts.forwarding_functions("m", tree(source))) == ["m.forwards"]


def test_pronouns_are_counted_where_they_become_names() -> None:
    source = """
def f(found, word):
    one = found
    for some in one: print(some)
    return [told for told in one if said]
"""
    expected = {"found": 1, "one": 1, "some": 1, "told": 1}
    assert counts.pronoun_names(tree(source)) == expected


def test_the_longest_chain_counts_a_circle_once() -> None:
    imports = {
        "top": frozenset({"a", "d"}),
        "a": frozenset({"b"}),
        "b": frozenset({"a", "c"}),
        "c": frozenset[str](),
        "d": frozenset({"c"}),
    }
    assert counts.longest_chain(imports) == ["top", "a", "c"]


def test_the_working_tree_can_be_counted() -> None:
    assert int(counts.counts()["modules"]) > 100
