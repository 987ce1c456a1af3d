"""The paper's four tables, run again: their rows, the way from rows to results, and the files.

``rows`` says which rows a table has, ``running`` runs them through leave-one-subject-out, ``summary``
puts the results beside the paper's cells, and ``writing`` makes the table for people and the files.
"""

from dianet_utils.tables.rows import TABLES, PaperTable, TableRow, choose
from dianet_utils.tables.running import Entry, Outcome, folder_of, overview, prepare, run_rows
from dianet_utils.tables.summary import Summary, summarise
from dianet_utils.tables.writing import notes, readable, write

__all__ = [
    "TABLES",
    "Entry",
    "Outcome",
    "PaperTable",
    "Summary",
    "TableRow",
    "choose",
    "folder_of",
    "notes",
    "overview",
    "prepare",
    "readable",
    "run_rows",
    "summarise",
    "write",
]
