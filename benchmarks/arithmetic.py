"""What share of the machine's matrix-product rate a stage reaches."""

from setting import DIMENSION, HIDDEN, Material


def training_operations(material: Material, sentences: int) -> float:
    """Multiplications and additions of the matrix products of a training step.

    The backward pass of a product is two products; the CRF runs two passes and counts transitions.
    """
    tags = _tags(material)
    network = _encoder_inputs() + _recurrence() + 2 * HIDDEN * tags
    return 2 * _tokens(material.train) * sentences * (3 * network + 3 * tags**2)


def bulk_operations(material: Material) -> float:
    """The same of tagging a sentence in bulk, where the encoder's inputs are looked up."""
    tags = _tags(material)
    return 2 * _tokens(material.fresh) * (_recurrence() + 2 * HIDDEN * tags + 2 * tags**2)


def row(stage: str, operations: float, seconds: float, peak: float) -> str:
    """A line of the table; the peak is in GFLOP/s."""
    rate = operations / seconds / 1e9
    return f"| {stage} | {operations / 1e9:.3g} | {rate:.0f} | {100 * rate / peak:.0f}% |"


def _encoder_inputs() -> int:
    """Projection of the word vectors, and the input half of the LSTM's gates."""
    return DIMENSION**2 + 2 * 4 * HIDDEN * DIMENSION


def _recurrence() -> int:
    return 2 * 4 * HIDDEN**2


def _tags(material: Material) -> int:
    return 4 * len(material.types) + 3


def _tokens(sentences: list) -> float:
    return sum(map(len, sentences)) / len(sentences)
