"""Tiny models of every pre-training config, with batches from their own pipelines."""

import json
from dataclasses import dataclass
from functools import cache

import pytest
import torch
from helpers import data, record, tiny


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

    @property
    def predicts(self) -> str:
        """Which cells have a target: the algorithm's word, else that of its corruption."""
        return getattr(self.model, 'predicts', None) or self.model.corruption.predicts

    @property
    def loss_reads_all(self) -> bool:
        """Whether the loss declares to look at the targets of visible cells, too."""
        parts = self.model.loss_module.modules()
        return any(getattr(part, 'reads_all_targets', False) for part in parts)

    @property
    def tokens(self) -> bool:
        """Whether the target is a class for each cell."""
        target = self.model.target(self.views, self.corrupt().geometry)
        return not target.is_floating_point()

    @property
    def image(self) -> torch.Tensor:
        """(N, C, H, W): the view that an encoder would be given alone."""
        return self.views['image' if 'image' in self.views else 'view1']

    def corrupt(self):
        return self.model.corruption({**self.views, 'image': self.image})

    def losses(self) -> dict:
        """The losses of the batch; dropout, if the model is in train mode, from a fixed seed."""
        torch.manual_seed(0)
        return self.model.loss(self.views)

    def loss(self) -> torch.Tensor:
        """The scalar that a training step would send backwards."""
        return self.model.parse_losses(self.losses())[0]

    def backbone_calls(self) -> list[record.Call]:
        """How the loss calls the encoder and its copies, if there are any."""
        kind = type(self.model.backbone)
        encoders = [module for module in self.model.modules() if type(module) is kind]
        with torch.no_grad(), record.calls(encoders) as found:
            self.losses()
        return found

    def masked_calls(self) -> list[record.Call]:
        return [call for call in self.backbone_calls() if call.arguments.get('mask') is not None]


@pytest.fixture(scope='session')
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp('contracts')


@cache
def batch_of(dataset: str, images) -> dict:
    """As the loader gives it; models that read the same data share it."""
    return data.batch_of(json.loads(dataset), data.make_images(images))


@pytest.fixture(params=tiny.tinies('pretraining'), ids=lambda entry: entry.id)
def case(request, scratch):
    entry = request.param
    model = data.build_tiny(entry.cfg, scratch).eval()
    batch = batch_of(json.dumps(entry.cfg.dataset, sort_keys=True), scratch / 'images')
    views = model.data_preprocessor(batch, training=False)['inputs']
    return Case(entry.cfg, entry.full, model, batch, views)
