"""A question in, hits and an answer with citations out.

The way of a query, in the order of the files it passes:

    query.py        words or an example, kinds, folder and dates, checked
    search.py       rankings by words, by name and by vectors
    fusion.py       one order from all rankings, of which hits.py has one hit a file
    snippets.py     the part of each passage that shows why it was found
    marked_words.py the words to mark where a hit is opened, and page_marks.py where they stand
    places.py       the place that a hit or a quote opens: in a transcript, a sentence
    answer.py       the best hits as evidence for the model, and its quotes checked against them
    claims.py       whether a quote proves what it is cited for; asked_kinds.py has what is asked
    copied_text.py  the text of an answer, with the figures and names (values.py) of its quotes

Rows come from `indexer.vectors`, items from `indexer.catalog`, vectors and text from
`model.interface`.
"""
