"""The CRF loss, forward and backward: Flair, pytorch-crf and ours."""

import flair
import torch
from flair.data import Dictionary
from flair.models.sequence_tagger_utils.crf import CRF as FlairCRF
from flair.models.sequence_tagger_utils.viterbi import ViterbiLoss
from measure import Comparison, compare

from flair_jointner.layers import LinearChainCRF, length_mask


def crf_losses(tags: int, repetitions: int, batch_size: int) -> list[Comparison]:
    """Compares the losses of a batch of 5 to 25 tokens."""
    torch.manual_seed(0)
    lengths = torch.randint(5, 26, (batch_size,)).sort(descending=True).values.to(flair.device)
    mask, on_cpu = length_mask(lengths), lengths.cpu()  # Flair packs by the latter
    emissions = 3 * torch.randn(*mask.shape, tags, device=flair.device)
    gold = torch.randint(tags - 2, mask.shape, device=flair.device)
    flat = torch.cat([row[:n] for row, n in zip(gold, lengths.tolist(), strict=True)])
    names = Dictionary(add_unk=False)
    for index in range(tags - 2):
        names.add_item(str(index))
    names.set_start_stop_tags()
    flair_crf, flair_loss = FlairCRF(names, tags, False), ViterbiLoss(names)
    crf = LinearChainCRF(tags, tags - 2, tags - 1)
    crf.transitions = flair_crf.transitions

    def theirs() -> float:
        given = emissions.clone().requires_grad_()
        loss = flair_loss((flair_crf(given), on_cpu, flair_crf.transitions), flat)
        loss.backward()
        return float(loss.detach())

    def ours() -> float:
        given = emissions.clone().requires_grad_()
        loss = crf(given, gold, mask).sum()
        loss.backward()
        return float(loss.detach())

    difference = abs(theirs() - ours()) / abs(theirs())
    rows = [
        compare(
            f"CRF loss, {tags} tags, over Flair",
            theirs,
            ours,
            f"losses differ by {difference:.0e}",
            repetitions=repetitions,
            our_share=20,
        )
    ]
    try:
        from torchcrf import CRF as PytorchCRF
    except ModuleNotFoundError:
        return rows
    other = PytorchCRF(tags, batch_first=True).to(flair.device)
    with torch.no_grad():  # the same distribution, but for moves that Flair forbids
        other.transitions.copy_(crf.transitions.t())
        other.start_transitions.copy_(crf.transitions[:, tags - 2])
        other.end_transitions.copy_(crf.transitions[tags - 1])

    def torchcrf() -> float:
        given = emissions.clone().requires_grad_()
        loss = -other(given, gold, mask)
        loss.backward()
        return float(loss.detach())

    difference = abs(torchcrf() - ours()) / abs(ours())
    rows.append(
        compare(
            f"CRF loss, {tags} tags, over pytorch-crf",
            torchcrf,
            ours,
            f"losses differ by {difference:.0e}",
            repetitions=repetitions,
            our_share=20,
        )
    )
    return rows
