"""Tiny models of every pre-training config, with batches from their own pipelines."""

from dataclasses import dataclass

import pytest
import torch
from helpers import data, tiny


@dataclass
class Case:
    """A tiny model in eval mode and a batch for it.

    Attributes:
        cfg: The shrunk config.
        full: The config as written.
        model: Initialised by its own ``init_weights``.
        batch: As the loader gives it.
        views: The same, normalised.
    """

    cfg: dict
    full: dict
    model: torch.nn.Module
    batch: dict
    views: dict

    def corrupt(self):
        return self.model.corruption(self.views)

    def loss(self):
        """The loss of the batch; dropout, if the model is in train mode, from a fixed seed."""
        torch.manual_seed(0)
        return self.model.loss(self.views)['loss']


@pytest.fixture(scope='session')
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp('contracts')


@pytest.fixture(params=tiny.tinies('pretraining'), ids=lambda entry: entry.id)
def case(request, scratch):
    entry = request.param
    model = data.build_tiny(entry.cfg, scratch).eval()
    batch = data.batch_of(entry.cfg.dataset, data.make_images(scratch / 'images'))
    views = model.data_preprocessor(batch, training=False)['inputs']
    return Case(entry.cfg, entry.full, model, batch, views)
