import importlib
import json

import pytest

from flair_jointner.data.saved_tokenizer import SavedTokenizer


class Every(SavedTokenizer):
    """Cuts a text after every few characters."""

    def __init__(self, count=1):
        super().__init__()
        self.count = count

    def tokenize(self, text):
        return [text[start : start + self.count] for start in range(0, len(text), self.count)]

    def settings(self):
        return {"count": self.count}


class Other(Every):
    pass


def test_the_description_makes_the_tokenizer_again_from_its_class():
    config = json.loads(json.dumps(Every(2).to_dict()))
    assert config == {"class_module": __name__, "class_name": "Every", "count": 2}
    found = getattr(importlib.import_module(config["class_module"]), config["class_name"])
    assert found.from_dict(config).tokenize("abc") == ["ab", "c"]


def test_tokenizers_are_equal_if_class_and_settings_are():
    assert Every(2) == Every(2) and hash(Every(2)) == hash(Every(2))
    assert Every(2) != Every(3) and Every(2) != Other(2) and Every(2) != "Every"


@pytest.mark.parametrize("config", [{}, {"class_module": __name__, "class_name": "Other"}])
def test_a_description_of_another_tokenizer(config):
    with pytest.raises(ValueError, match=r"Every\.from_dict takes one that Every\.to_dict"):
        Every.from_dict(config)
