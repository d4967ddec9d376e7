"""Files in, rows out: watches folders, reads what is in them, keeps the index true.

The data's way, from a saved file to a word that is found:

1.  `scan/inotify`, `scan/events`: the system reports a path; it is kept as a hint where to look.
2.  `scan/rescan`: hints are taken, or everything is looked at.
3.  `scan/reconcile`: the tree is compared with the catalog; a new file is pending there.
4.  `catalog/queue`: a pending file that has settled is claimed.
5.  `ingest/reading_stage`: several threads read claimed files ahead, one publishes.
6.  `ingest/read`: a file is identified, hashed, and given to a child process.
7.  `extract/process/reader`, `extract/process/worker`: a job goes to the child, pieces come back.
8.  `extract/formats`: one extractor gives the words of the pages, which are cut into passages.
9.  `ingest/publish`: rows to `vectors/store`, sync, flip in the catalog, sweep.
10. `catalog/words/index`: the flip writes the words here, where searches find them.

A module is a station, and named above, when a file (its path, its bytes, or what was read of it) is
handed to it by the station before and handed on by it. What a station merely calls for help is
none: the walk, the database, LanceDB's tables, serialisers, thread and process pools, and the
tables that only choose who is next (`extract/process/jobs`, `extract/dispatch`).
"""
