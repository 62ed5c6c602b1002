"""Make the sample titles of a source and a target language from the words in `lexicon/`.

    python resources/make_transfer.py

The same seed gives the same bytes, on any machine.
"""

import random

from lexicon import BRANDS, CATEGORIES, LANGUAGES
from make_titles import Title, TitleMaker, conll, expand, write_folder

SOURCE, TARGET = "es", "id"
SIZES = {"source": {"train": 400}, "target": {"train": 20, "dev": 100, "test": 200}}
RAW = 2000


def titles_of(language: str, count: int, rng: random.Random) -> list[Title]:
    """Make titles of one language, no two alike but for capitals.

    Args:
        language: Its code.
        count: How many.
        rng: The one source of chance.

    Returns:
        The titles.
    """
    brands = {category: expand(BRANDS[category], "") for category in CATEGORIES}
    maker = TitleMaker(LANGUAGES[language], brands, rng)
    titles: dict[str, Title] = {}
    while len(titles) < count:
        title = maker.make()
        titles.setdefault(title.text.casefold(), title)
    return list(titles.values())


def make_files(seed: int) -> dict[str, str]:
    """Make all files.

    Args:
        seed: The seed of the one source of chance.

    Returns:
        The text of each file by its name.
    """
    rng = random.Random(seed)
    files = {}
    for resource, language in (("source", SOURCE), ("target", TARGET)):
        sizes = SIZES[resource]
        titles = iter(titles_of(language, sum(sizes.values()) + RAW, rng))
        for name, count in sizes.items():
            files[f"{resource}.{name}.conll"] = conll([next(titles) for _ in range(count)])
        files[f"{resource}.txt"] = "".join(f"{title.text}\n" for title in titles)
    return files


if __name__ == "__main__":
    write_folder("Make the sample titles of two languages.", "transfer", make_files)
