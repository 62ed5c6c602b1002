"""Options of `jointner train` that do not go together."""

from typing import Any

import click
from click.core import ParameterSource

_JOINT_ONLY = (
    "ner_only",
    "classifier",
    "attention",
    "attention_heads",
    "attention_gate",
    "class_loss_weight",
    "residual",
    "class_type",
    "class_key",
    "self_train_files",
    "confidence",
)
_DATNET_ONLY = (
    "source",
    "source_vectors",
    "share",
    "discriminator",
    "alpha",
    "gamma",
    "reversal_rate",
    "mixing_rate",
    "source_encoding",
    "source_scheme",
    "source_tag_column",
)
_WITHOUT_EFFECT: dict[str, tuple[str, tuple[Any, ...]]] = {
    "attention_heads": ("attention", ("none", "soft")),
    "attention_gate": ("attention", ("none",)),
    "residual": ("attention", ("none",)),
    "class_type": ("ner_only", (True,)),
    "class_key": ("ner_only", (True,)),
    "class_loss_weight": ("ner_only", (True,)),
    "confidence": ("self_train_files", ((),)),
    "vocabulary": ("vectors", (None,)),
    "extra_words": ("vectors", (None,)),
    "alpha": ("discriminator", ("plain", "none")),
    "gamma": ("discriminator", ("plain", "none")),
    "reversal_rate": ("discriminator", ("none",)),
}
"""Options that another option, with certain values, leaves nothing to do."""


def check_system(system: str, sources: tuple[Any, ...]) -> None:
    """Refuses options of the other system, which would change nothing.

    Args:
        system: "joint" or "datnet".
        sources: The files of the source.

    Raises:
        ValueError: If an option of the other system was given, or DATNet has no source.
    """
    others, owner = (_DATNET_ONLY, "datnet") if system == "joint" else (_JOINT_ONLY, "joint")
    for parameter in click.get_current_context().command.params:
        if parameter.name in others and was_given(parameter.name):
            raise ValueError(
                f"{parameter.opts[0]} goes with --system {owner}: leave it out, or choose that "
                "system."
            )
    if system == "datnet" and not sources:
        raise ValueError(
            "--system datnet learns from a source as well: pass --source FILE, with annotated "
            "sentences."
        )


def check_effect() -> None:
    """Refuses options that change nothing, because of another option of the command that runs.

    Raises:
        ValueError: If there is one.
    """
    context = click.get_current_context()
    typed = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    for option, (other, values) in _WITHOUT_EFFECT.items():
        found = context.params[other]
        if was_given(option) and found in values:
            end = (
                f"with {typed[other]}{'' if found is True else f' {found}'}: leave it out."
                if found
                else f"without {typed[other]}: pass that too, or leave it out."
            )
            raise ValueError(f"{typed[option]} changes nothing {end}")


def was_given(name: str | None) -> bool:
    """Whether the user typed an option of the command that runs."""
    source = click.get_current_context().get_parameter_source(name or "")
    return source is ParameterSource.COMMANDLINE
