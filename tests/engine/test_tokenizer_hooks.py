"""A number that changes over a run, and the file a tokenizer is used from."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MMLogger
from torch import nn

from mmmim.engine.hooks import AttributeScheduleHook, TokenizerFileHook
from mmmim.models.tokenizers import DiscreteVAE

SMALL = dict(patch_size=4, num_tokens=16, codebook_dims=8, hidden_dims=16, num_blocks=1)


def runner(model, iteration=0, total=11, work_dir=''):
    return SimpleNamespace(
        model=model, iter=iteration, max_iters=total, work_dir=work_dir,
        logger=MMLogger.get_current_instance(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ('curve', 'middle'), [('linear', 0.7), ('cosine', 0.7), ('exponential', (0.9 * 0.5) ** 0.5)]
)
def test_the_attribute_follows_the_iteration(curve, middle):
    model = nn.Sequential(nn.Linear(1, 1))
    model[0].temperature = None
    hook = AttributeScheduleHook('0.temperature', 0.9, 0.5, curve)
    for iteration, value in ((0, 0.9), (5, middle), (10, 0.5)):
        hook.before_train_iter(runner(model, iteration), 0)
        assert model[0].temperature == pytest.approx(value)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="curve='step' must be one of"):
        AttributeScheduleHook('temperature', 1, 0, 'step')
    with pytest.raises(ValueError, match="Linear has no attribute 'temperature'"):
        AttributeScheduleHook('temperature', 1, 0).before_train(runner(nn.Linear(1, 1)))


def test_the_tokenizer_can_be_used_from_its_file(tmp_path):
    model = nn.Module()
    model.backbone = DiscreteVAE(**SMALL)
    TokenizerFileHook().after_train(runner(model, work_dir=str(tmp_path)))
    loaded = DiscreteVAE(**SMALL, checkpoint=str(tmp_path / 'tokenizer.pth'))
    for name, value in model.backbone.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
