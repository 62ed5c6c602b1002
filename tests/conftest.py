"""What every test stands on: one thread, one seed, and nothing that is downloaded."""

import logging

import flair
import pytest
import tiny
import torch

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_seed():
    flair.set_seed(7)


@pytest.fixture(scope="module")
def flair_handlers():
    """The commands send Flair's log to their own standard error, which is gone after them."""
    handlers = [h for h in logging.getLogger("flair").handlers if hasattr(h, "stream")]
    streams = [handler.stream for handler in handlers]
    yield
    for handler, stream in zip(handlers, streams, strict=True):
        handler.stream = stream


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """Folder of a random BERT: two layers of 16 units, a WordPiece vocabulary of tiny.WORDS."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-bert")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [f"##{piece}" for piece in "abcdefghijklmnopqrstuvwxyz"] + list(tiny.WORDS[::2])
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
    )
    torch.manual_seed(3)
    BertModel(config).save_pretrained(folder)
    return folder
