"""The perturbation of adversarial training and the normalisation below it, by slow loops."""

import pytest
import torch

from flair_jointner.layers.perturbation import (
    Perturber,
    RunningNormalisation,
    adversarial_shift,
    check_size,
)

OWNERS = torch.tensor([0, 0, 2, 1, 2, 2])


def random(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype)


# ----- the perturbation -----


def test_the_shift_is_the_gradient_at_the_norm_epsilon_for_each_sentence():
    gradient = random(6, 3)
    found = adversarial_shift(gradient, OWNERS, 5.0)
    for sentence in range(3):
        own = gradient[OWNERS.eq(sentence)]
        torch.testing.assert_close(found[OWNERS.eq(sentence)], 5.0 * own / own.norm())


def test_a_sentence_without_gradient_stays_and_a_tiny_gradient_counts():
    gradient = random(6, 3, dtype=torch.float32)
    gradient[OWNERS.eq(0)] = 0.0
    gradient[OWNERS.eq(2)] *= 1e-30  # its square is 0
    found = adversarial_shift(gradient, OWNERS, 2.0)
    assert found[OWNERS.eq(0)].tolist() == [[0.0] * 3] * 2
    assert found[OWNERS.eq(2)].norm() == pytest.approx(2.0, rel=1e-5)
    assert adversarial_shift(random(0, 3), torch.zeros(0, dtype=torch.long), 1.0).shape == (0, 3)


def test_the_gradient_of_small_numbers_is_measured_in_larger_ones():
    gradient = random(6, 3).to(torch.bfloat16)
    found = adversarial_shift(gradient, OWNERS, 1.0)
    assert found.dtype == torch.bfloat16
    assert found[OWNERS.eq(0)].double().norm() == pytest.approx(1.0, abs=1e-2)


def test_two_passes_add_zeros_and_then_what_raises_the_loss():
    layers = [random(6, 3), random(4, 2)]
    owners = [OWNERS, torch.tensor([0, 1, 1, 2])]
    weights = [random(6, 3), random(4, 2)]
    perturber = Perturber(0.5)
    first = [perturber(x, o) for x, o in zip(layers, owners, strict=True)]
    for x, found in zip(layers, first, strict=True):
        torch.testing.assert_close(found, x, rtol=0, atol=0)
    loss = sum((x.pow(3) * w).sum() for x, w in zip(first, weights, strict=True))
    perturber.aim(loss)
    loss.backward()  # its graph is kept
    for x, o, w in zip(layers, owners, weights, strict=True):
        shift = adversarial_shift(3 * x**2 * w, o, 0.5)
        found = perturber(x, o)
        torch.testing.assert_close(found, x + shift)
        assert not found.requires_grad


def test_a_layer_that_the_loss_does_not_reach_stays():
    perturber, vectors = Perturber(1.0), random(6, 3)
    used, _ = perturber(vectors, OWNERS), perturber(vectors, OWNERS)
    perturber.aim(used.sum())
    assert not torch.equal(perturber(vectors, OWNERS), vectors)
    assert torch.equal(perturber(vectors, OWNERS), vectors)


@pytest.mark.parametrize("size", [0, -1.0, float("nan"), float("inf")])
def test_an_epsilon_that_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match="perturbation is"):
        check_size(size)


# ----- the normalisation -----


def test_mean_and_variance_are_those_of_all_that_came():
    norm = RunningNormalisation(4).double()
    parts = [3 * random(n, 4) + torch.arange(4) for n in (5, 1, 40, 7)]
    for part in parts:
        norm.update(part)
    together = torch.cat(parts)
    torch.testing.assert_close(norm.mean, together.mean(0))
    torch.testing.assert_close(norm.variance, together.var(0, correction=0))
    assert int(norm.seen) == 53
    made = norm(together)
    torch.testing.assert_close(made.mean(0), torch.zeros(4, dtype=torch.float64))
    torch.testing.assert_close(made.var(0, correction=0), torch.ones(4, dtype=torch.float64))


def test_it_starts_as_the_identity_and_takes_no_empty_batch():
    norm, vectors = RunningNormalisation(3), random(5, 3, dtype=torch.float32)
    norm.update(vectors[:0])
    assert torch.equal(norm(vectors), vectors)


def test_a_dimension_that_has_not_varied_is_only_centred():
    norm, vectors = RunningNormalisation(2).double(), random(9, 2)
    vectors[:, 1] = 3.0
    norm.update(vectors)
    assert not norm(vectors)[:, 1].any()
    vectors[0, 1] = 5.0
    assert norm(vectors)[0, 1] == 2.0


def test_it_follows_vectors_that_are_trained():
    """Of a plain mean, a thousand batches would move a little only."""
    norm = RunningNormalisation(1).double()
    for _ in range(1000):
        norm.update(random(10, 1))
    for _ in range(500):
        norm.update(10 * random(10, 1))
    assert norm.variance.item() == pytest.approx(100, rel=0.3)


def test_it_is_saved_and_no_parameter():
    norm = RunningNormalisation(2)
    norm.update(random(5, 2))
    again = RunningNormalisation(2)
    again.load_state_dict(norm.state_dict())
    vectors = random(3, 2)
    assert torch.equal(again(vectors), norm(vectors))
    assert not list(norm.parameters())
