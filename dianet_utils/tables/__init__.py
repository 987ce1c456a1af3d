"""The paper's four tables, run again, and what it leaves open: rows, the way to results, and the files.

``rows`` says which rows a table has, ``running`` runs them through leave-one-subject-out, ``summary``
puts the results beside the paper's cells, and ``readable_text`` makes the table for people and the files.
``planned`` tests the pairs of rows that were named in advance, and ``many_people`` does so on five datasets.
``published_cells`` takes in cells that a reader copied from the paper.
``questions`` are what the paper does not settle, ``alternatives`` their rows beside the default.
"""

from dianet_utils.tables.alternatives import (
    against_default,
    prepare_readings,
    readable_readings,
    readings_table,
    write_readings,
)
from dianet_utils.tables.planned import planned
from dianet_utils.tables.published_cells import published_rows
from dianet_utils.tables.questions import QUESTIONS, Choice, Question, choose_readings
from dianet_utils.tables.readable_text import notes, readable, write
from dianet_utils.tables.rows import TABLES, PaperTable, TableRow, choose
from dianet_utils.tables.running import Entry, Outcome, folder_of, overview, prepare, run_rows, split_of
from dianet_utils.tables.summary import Summary, summarise

__all__ = [
    "QUESTIONS",
    "TABLES",
    "Choice",
    "Entry",
    "Outcome",
    "PaperTable",
    "Question",
    "Summary",
    "TableRow",
    "against_default",
    "choose",
    "choose_readings",
    "folder_of",
    "notes",
    "overview",
    "planned",
    "prepare",
    "prepare_readings",
    "published_rows",
    "readable",
    "readable_readings",
    "readings_table",
    "run_rows",
    "split_of",
    "summarise",
    "write",
    "write_readings",
]
