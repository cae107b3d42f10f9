"""Kinds that a page is not labelled for teach nothing; everything else does."""

from types import SimpleNamespace

import torch

from services.trainer.partial_labels import KnownKindsLoss, note_labelled_kinds


def test_unlabelled_kinds_cost_nothing() -> None:
    loss = KnownKindsLoss()
    scores, target = torch.full((2, 5, 3), 2.0), torch.zeros(2, 5, 3)
    loss.known = torch.tensor([True, False])
    cost = loss(scores, target)
    assert bool((cost[0] > 2).all())
    assert bool((cost[1, :, 0] > 2).all())
    assert bool((cost[1, :, 1:] == 0).all())


def test_nothing_is_left_out_when_nothing_is_known() -> None:
    scores, target = torch.randn(2, 5, 3), torch.rand(2, 5, 3)
    plain = torch.nn.functional.binary_cross_entropy_with_logits(scores, target, reduction="none")
    assert torch.equal(KnownKindsLoss()(scores, target), plain)


def test_the_models_loss_learns_it_from_file_names() -> None:
    criterion = SimpleNamespace(bce=torch.nn.BCEWithLogitsLoss(reduction="none"))
    model = SimpleNamespace(criterion=None, init_criterion=lambda: criterion)
    note_labelled_kinds(model, ["/a/full__synthetic__1.png", "/a/tobacco__2.png"])
    assert criterion.bce.known.tolist() == [True, False]


def test_so_do_both_losses_of_a_network_that_has_two() -> None:
    plain = torch.nn.BCEWithLogitsLoss(reduction="none")
    criterion = SimpleNamespace(one2many=SimpleNamespace(bce=plain), one2one=SimpleNamespace(bce=plain))
    note_labelled_kinds(SimpleNamespace(criterion=criterion), ["/a/tobacco__2.png", "/a/full__synthetic__1.png"])
    assert [loss.bce.known.tolist() for loss in (criterion.one2many, criterion.one2one)] == [[False, True]] * 2
