"""A question in, hits and an answer with citations out.

The way of a query, in the order of the wings and files it passes:

    queries/     query.py: words or an example, kinds, folder and dates, checked; typed_query.py
                 has the filters typed among the words, guessed_filters.py those that are not
                 marked as such, periods.py the dates of both
    search.py    rankings by words, by name and by vectors, of which meaning.py has the last
    fusion.py    one order from all rankings; copies.py has the copies of each content behind it,
                 hits.py one hit for them
    marks/       snippets.py: the part of each passage that shows why it was found;
                 marked_words.py: the words to mark where a hit is opened, page_marks.py where
                 they stand, places.py the place that a hit or a quote opens
    answers/     answer.py: the best hits as evidence for the model, and its quotes checked against
                 them; extracts.py answers with their sentences where no model can
                 claims.py: whether a quote proves what it is cited for; asked_kinds.py has what is
                 asked, copied_text.py the text of an answer with the figures and names
                 (values.py) of its quotes
    recordings/  a recording as it is read: speakers, sections and the points that were made

Rows come from `indexer.vectors`, items from `indexer.catalog`, vectors and text from
`model.interface`.
"""
