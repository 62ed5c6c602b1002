"""The hand-written words from which `make_titles.py` makes product titles.

Items of a list stand between commas. A product family reads "heads / endings": every head goes
with every ending, and "-" stands for no ending. In a size or a notice, "#" stands for a number.
Every brand is invented: an opening and an ending that together are no word of the three languages.
"""

from lexicon.indonesian import INDONESIAN
from lexicon.spanish import SPANISH
from lexicon.vietnamese import VIETNAMESE
from lexicon.words import BRANDS, CATEGORIES, LINES, SIZES, Language

LANGUAGES = {"id": INDONESIAN, "vi": VIETNAMESE, "es": SPANISH}

__all__ = ["BRANDS", "CATEGORIES", "LANGUAGES", "LINES", "SIZES", "Language"]
