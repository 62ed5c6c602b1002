"""Make the sample titles of this folder from the hand-written words in `lexicon/`.

    python resources/make_titles.py

The same seed gives the same bytes, on any machine.
"""

import argparse
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lexicon import BRANDS, CATEGORIES, LANGUAGES, LINES, SIZES, Language

DEFAULT_SEED = 13
NER_SIZES = {"train": 400, "dev": 200, "test": 300}
CLASS_SIZES = {"categories.train": 5000, "categories.dev": 400}
NEW_TITLES = 12

WRONG_CATEGORY_RATE = 0.05
NOTICE_RATE = 0.03
COMPANION_RATE = 0.12
# The higher, the more of the draws fall on the first words of a list.
SKEW = 2.0
PRODUCT_SKEW = 3.0
NUMBERS = (2, 3, 5, 8, 10, 12, 15, 20, 24, 30, 36, 40, 45, 50, 60, 75, 80, 90, 100, 120, 150, 180)
SEPARATORS = ("", "", "/", "|", "-", ",")
# How often a part that an order names is there: in all categories, or per category.
PART_RATES: dict[str, float | dict[str, float]] = {
    "PRODUCT": 1.0,
    "BRAND": 0.75,
    "AD": 0.4,
    "SIZE": 0.5,
    "TRAP": 0.5,
    "ALSO": 0.4,
    "GIFT": 0.35,
    "LINE": 0.45,
    "MATERIAL": 0.55,
    "COLOR": {
        "FASHION": 0.6,
        "HEALTH_BEAUTY": 0.3,
        "ELECTRONICS": 0.5,
        "HOME_FURNITURE": 0.6,
        "MOTORS": 0.5,
        "OTHER": 0.3,
    },
    "FIT": {"ELECTRONICS": 0.6, "MOTORS": 0.6, "HOME_FURNITURE": 0.2},
    "PATTERN": {"FASHION": 0.9, "HOME_FURNITURE": 0.9, "OTHER": 0.5, "MOTORS": 0.4},
    "CONSUMER_GROUP": {"FASHION": 0.8, "HEALTH_BEAUTY": 0.6, "OTHER": 0.3, "MOTORS": 0.2},
}
TaggedToken = tuple[str, str]


@dataclass(frozen=True)
class Title:
    """One product title.

    Attributes:
        tokens: The tokens, each with its BIO tag.
        category: The category that the seller chose.
    """

    tokens: tuple[TaggedToken, ...]
    category: str

    @property
    def text(self) -> str:
        """The tokens with a space between any two."""
        return " ".join(token for token, _ in self.tokens)


def items(text: str) -> list[str]:
    """Split a list of the lexicon at its commas; "-" becomes the empty string."""
    return ["" if item.strip() == "-" else item.strip() for item in text.split(",")]


def expand(family: str, joint: str) -> list[str]:
    """Put every head of "heads / endings" together with every ending."""
    heads, endings = family.split(" / ")
    return [f"{head}{joint}{ending}".strip() for head in items(heads) for ending in items(endings)]


def outside(text: str) -> list[TaggedToken]:
    """Tag every token of a text as outside any entity."""
    return [(token, "O") for token in text.split()]


def entity(text: str, kind: str) -> list[TaggedToken]:
    """Tag a text as one entity."""
    return [(token, f"{'I' if i else 'B'}-{kind}") for i, token in enumerate(text.split())]


class TitleMaker:
    """Makes the titles of one language.

    Args:
        language: The words of the language.
        brands: The brand names of each category.
        rng: The one source of chance.
    """

    def __init__(
        self, language: Language, brands: dict[str, list[str]], rng: random.Random
    ) -> None:
        """Put the words of every category into an order by chance: the first are the usual ones."""
        self.language = language
        self.rng = rng
        self.brands = {category: self._with_companions(brands[category]) for category in CATEGORIES}
        self.families = {
            category: [expand(family, " ") for family in language.products[category]]
            for category in CATEGORIES
        }
        self.products = {
            category: self._shuffled([form for family in families for form in family])
            for category, families in self.families.items()
        }
        self.lines = items(LINES)

    def make(self) -> Title:
        """Make one title of a category drawn by chance."""
        category = self.rng.choice(CATEGORIES)
        if self.rng.random() < NOTICE_RATE:
            tokens = outside(self._numbered(self._pick(self.language.notices), 100, 999))
        else:
            tokens = self._parts(category)
        return Title(tuple(self._in_one_case(tokens)), category)

    def _parts(self, category: str) -> list[TaggedToken]:
        """Make the parts of a title in one of the orders of the language."""
        product = self._product(category)
        makers: dict[str, Callable[[], list[TaggedToken]]] = {
            "PRODUCT": lambda: entity(product, "PRODUCT"),
            "ALSO": lambda: self._also(product, category),
            "BRAND": lambda: entity(self._skewed(self.brands[category]), "BRAND"),
            "LINE": lambda: self._line(category),
            "GIFT": lambda: self._gift(category),
            "FIT": lambda: self._fit(category),
            "SIZE": lambda: outside(self._numbered(self._pick(SIZES[category]))),
            "AD": lambda: outside(self._pick(self.language.ads)),
            "TRAP": lambda: self._trap(category),
        }
        tokens: list[TaggedToken] = []
        for part in self.rng.choice(self.language.orders).split():
            rate = PART_RATES[part]
            if self.rng.random() < (rate.get(category, 0.0) if isinstance(rate, dict) else rate):
                tokens += makers[part]() if part in makers else self._attribute(part, category)
        return tokens

    def _attribute(self, kind: str, category: str) -> list[TaggedToken]:
        """Make a material, colour, pattern or consumer group, perhaps with a cue before it."""
        words = {
            "MATERIAL": self.language.materials[category],
            "COLOR": self.language.colors,
            "PATTERN": self.language.patterns,
            "CONSUMER_GROUP": self.language.groups,
        }[kind]
        cue = outside(self._pick(self.language.cues[kind]))
        return cue + entity(self._skewed(items(words)), kind)

    def _also(self, product: str, category: str) -> list[TaggedToken]:
        """Name the product once more, as sellers do: a second product of the same family."""
        family = next(family for family in self.families[category] if product in family)
        return outside(self.rng.choice(SEPARATORS)) + entity(self.rng.choice(family), "PRODUCT")

    def _gift(self, category: str) -> list[TaggedToken]:
        """Name a thing of another category that comes with the product, and is not the product."""
        other = self.rng.choice([name for name in CATEGORIES if name != category])
        cue = self._pick(self.language.gift_cues)
        return outside(f"{cue} {self._product(other)}")

    def _fit(self, category: str) -> list[TaggedToken]:
        """Name what the product is made for: a product word that is no entity here."""
        return outside(f"{self.language.fit_cue} {self._product(category)}")

    def _line(self, category: str) -> list[TaggedToken]:
        """Name a model: by a code, a name of its own, or a name that is a brand elsewhere."""
        kind = self.rng.randrange(3)
        if kind == 0:
            letters = "".join(self.rng.choice("ABDEGKLMRSTVX") for _ in range(2))
            return outside(f"{letters}-{self.rng.choice(NUMBERS)}")
        if kind == 1:
            return outside(self.rng.choice(self.lines))
        other = self.rng.choice([name for name in CATEGORIES if name != category])
        return outside(self._skewed(self.brands[other]))

    def _trap(self, category: str) -> list[TaggedToken]:
        """Make a phrase in which a word looks like an entity and is none."""
        traps = (self.language.traps, self.language.category_traps[category])
        return outside(self._pick(self.rng.choice(traps)))

    def _with_companions(self, brands: list[str]) -> list[str]:
        """Put an ordinary word of the language before some of the brand names."""
        return [
            f"{self._pick(self.language.companions)} {brand}"
            if self.rng.random() < COMPANION_RATE
            else brand
            for brand in self._shuffled(brands)
        ]

    def _in_one_case(self, tokens: list[TaggedToken]) -> list[TaggedToken]:
        """Write a title as it is, in small letters, in Title Case or in CAPITALS."""
        change = self.rng.choices((str, str.lower, str.title, str.upper), (30, 40, 20, 10))[0]
        return [(change(token), tag) for token, tag in tokens]

    def _numbered(self, text: str, low: int = 0, high: int = 0) -> str:
        """Put a number for every "#": one from `low` to `high`, or a usual size."""
        while "#" in text:
            number = self.rng.randint(low, high) if high else self.rng.choice(NUMBERS)
            text = text.replace("#", str(number), 1)
        return text

    def _pick(self, text: str) -> str:
        """Draw an item of a list of the lexicon, each as often as the other."""
        return self.rng.choice(items(text))

    def _product(self, category: str) -> str:
        """Draw a product of a category."""
        return self._skewed(self.products[category], PRODUCT_SKEW)

    def _skewed(self, words: list[str], skew: float = SKEW) -> str:
        """Draw a word, the first ones more often."""
        return words[int(len(words) * self.rng.random() ** skew)]

    def _shuffled(self, words: list[str]) -> list[str]:
        """Put words into an order by chance."""
        return self.rng.sample(words, len(words))


def unique_titles(count: int, rng: random.Random) -> list[Title]:
    """Make titles of all languages, no two alike but for capitals.

    Args:
        count: How many.
        rng: The one source of chance.

    Returns:
        The titles, the languages mixed.
    """
    brands = {category: expand(names, "") for category, names in BRANDS.items()}
    makers = [TitleMaker(language, brands, rng) for language in LANGUAGES.values()]
    titles: dict[str, Title] = {}
    while len(titles) < count:
        title = rng.choice(makers).make()
        titles.setdefault(title.text.casefold(), title)
    return list(titles.values())


def misfiled(title: Title, rng: random.Random) -> Title:
    """Put a title into a wrong category now and then, as sellers do."""
    if rng.random() >= WRONG_CATEGORY_RATE:
        return title
    others = [category for category in CATEGORIES if category != title.category]
    return Title(title.tokens, rng.choice(others))


def conll(titles: list[Title]) -> str:
    """Write titles in columns: a category comment, then a token and its tag on each line."""
    blocks = (
        f"# category = {title.category}\n"
        + "".join(f"{token}\t{tag}\n" for token, tag in title.tokens)
        for title in titles
    )
    return "\n".join(blocks)


def fasttext(titles: list[Title]) -> str:
    """Write titles as fastText does: the label, then the tokens."""
    return "".join(f"__label__{title.category} {title.text}\n" for title in titles)


def make_files(seed: int) -> dict[str, str]:
    """Make all files.

    Args:
        seed: The seed of the one source of chance.

    Returns:
        The text of each file by its name.
    """
    rng = random.Random(seed)
    total = sum(NER_SIZES.values()) + sum(CLASS_SIZES.values()) + NEW_TITLES
    titles = iter(unique_titles(total, rng))
    files = {}
    for name, count in NER_SIZES.items():
        files[f"{name}.conll"] = conll([next(titles) for _ in range(count)])
    for name, count in CLASS_SIZES.items():
        files[f"{name}.txt"] = fasttext([misfiled(next(titles), rng) for _ in range(count)])
    files["new.txt"] = "".join(f"{title.text}\n" for title in titles)
    return files


def write_folder(description: str, name: str, make_files: Callable[[int], dict[str, str]]) -> None:
    """Read the command line and write the files.

    Args:
        description: What `--help` says of the script.
        name: The folder beside this script, if the command line names no other.
        make_files: Makes the text of each file from a seed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / name)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for file, text in make_files(arguments.seed).items():
        (arguments.out / file).write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    write_folder("Make the sample titles of this folder.", "titles", make_files)
