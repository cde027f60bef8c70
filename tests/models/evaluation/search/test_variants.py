"""What the search tries in place of the usual head."""

import pytest

torch = pytest.importorskip("torch")

from models.evaluation.search.variants import MixtureHead, SeveralLeads  # noqa: E402
from models.training.causal import Head  # noqa: E402

WIDTH, OUTPUTS = 6, 5


@pytest.fixture
def given():
    torch.manual_seed(1)
    counts = torch.ones(2, 20)
    counts[1, 15:] = 0
    return torch.randn(2, 20, WIDTH), torch.randn(2, 20, OUTPUTS - 2), counts


@pytest.mark.parametrize("kind", [Head, SeveralLeads, MixtureHead])
def test_what_does_not_count_changes_nothing(kind, given):
    """Zeros behind the end of an utterance would be learned as speech."""
    hidden, wanted, counts = given
    head = kind(WIDTH, OUTPUTS)
    loss = head.distortion(hidden, wanted, counts)
    wanted[1, 15:] = 1000
    torch.testing.assert_close(head.distortion(hidden, wanted, counts), loss)
    wanted[1, 14] = 1000
    assert head.distortion(hidden, wanted, counts) > loss + 1


def test_a_mixture_is_one_of_normal_densities(given):
    """PyTorch's own distributions are the oracle."""
    hidden, wanted, counts = given
    head = MixtureHead(WIDTH, OUTPUTS)
    own = torch.nn.functional.linear(hidden, head.weight, head.bias)[..., :-2].unsqueeze(-2)
    others = head.others(hidden).unflatten(-1, (-1, OUTPUTS - 2))
    spread = head.spreads(hidden).unflatten(-1, (-1, OUTPUTS - 2)).exp()
    normal = torch.distributions.Normal(torch.cat((own, others), dim=-2), spread)
    choice = torch.distributions.Categorical(logits=head.choice(hidden))
    mixture = torch.distributions.MixtureSameFamily(
        choice, torch.distributions.Independent(normal, 1)
    )
    nats = -(mixture.log_prob(wanted) * counts).sum() / counts.sum() / (OUTPUTS - 2)
    torch.testing.assert_close(head.distortion(hidden, wanted, counts), nats)
    torch.testing.assert_close(head(hidden)[..., :-2], mixture.mean)


def test_other_leads_are_those_of_their_names():
    """A lead the wrong way round would be learned from the past, and look like a gain."""
    time = torch.arange(20.0).expand(2, 20)
    hidden = time.unsqueeze(-1).expand(2, 20, WIDTH)
    wanted = time.unsqueeze(-1).expand(2, 20, OUTPUTS - 2)
    head = SeveralLeads(WIDTH, OUTPUTS)
    with torch.no_grad():
        for lead, other in zip((-4, 2, 4, 6), head.others, strict=True):
            other.weight.fill_(1 / WIDTH)
            other.bias.fill_(lead)
    counts = torch.ones(2, 20)
    others = head.distortion(hidden, wanted, counts) - Head.distortion(head, hidden, wanted, counts)
    assert others < 0.02
