"""What every pre-training config promises, whatever its method."""

import copy
import inspect

import mmpretrain.models.backbones
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

# The backbone of mmpretrain that each of ours is when nothing is masked. A new backbone without an
# entry fails.
PLAIN = {'MaskedViT': 'VisionTransformer'}
DROPS = ('drop_rate', 'attn_drop_rate', 'drop_path_rate')


def to_pixels(mask, image):
    """Cells to pixels: (N, Gh, Gw) -> (N, 1, H, W)."""
    (height, width), (rows, columns) = image.shape[-2:], mask.shape[1:]
    wide = mask.repeat_interleave(height // rows, 1).repeat_interleave(width // columns, 2)
    return wide.unsqueeze(1)


class Altered(torch.nn.Module):
    """A target to whose output ``change`` has been applied."""

    def __init__(self, target, change):
        super().__init__()
        self.target, self.change = target, change

    def forward(self, *args, **kwargs):
        return self.change(self.target(*args, **kwargs))


def predicted_cells(case):
    """(N, L) bool: the cells that the loss covers, by what the corruption declares."""
    corrupted = case.corrupt()
    target = case.model.target(case.views, corrupted.geometry)
    everything = torch.ones(target.shape[:2], dtype=torch.bool)
    return {
        'masked': None if corrupted.mask is None else corrupted.mask.flatten(1),
        'all': everything,
        'none': ~everything,
    }[case.model.corruption.predicts]


def loss_with(case, change):
    target = case.model.target
    case.model.target = Altered(target, change)
    loss = case.loss()
    case.model.target = target
    return loss


def test_parts_declare_what_they_predict(case):
    corruption = case.model.corruption
    assert corruption.predicts in ('masked', 'all', 'none')
    assert isinstance(corruption.exact_count, bool)
    assert case.corrupt().mask is not None or corruption.predicts != 'masked'


def test_loss_is_finite(case):
    case.model.train()
    loss = case.loss()
    assert loss.shape == () and loss.dtype == torch.float32 and loss.requires_grad
    assert loss.isfinite() and loss > 0


def test_every_trainable_parameter_gets_a_gradient(case):
    case.model.train()
    case.loss().backward()
    trained = {n: p for n, p in case.model.named_parameters() if p.requires_grad}
    without = [n for n, p in trained.items() if p.grad is None or not p.grad.abs().sum() > 0]
    assert trained and without == []
    assert all(parameter.grad.isfinite().all() for parameter in trained.values())


def test_masked_pixels_do_not_reach_the_latent(case):
    corrupted = case.corrupt()
    if corrupted.mask is None:
        pytest.skip('nothing is masked')
    hidden = to_pixels(corrupted.mask, corrupted.images)
    noise = torch.randn_like(corrupted.images)
    latent = case.model.backbone(corrupted.images, corrupted.mask)
    other = case.model.backbone(
        torch.where(hidden, noise, corrupted.images), corrupted.mask.clone()
    )
    torch.testing.assert_close(other, latent, rtol=0, atol=0)
    seen = case.model.backbone(torch.where(hidden, corrupted.images, noise), corrupted.mask)
    assert not torch.allclose(seen, latent, atol=1e-3)


def test_only_predicted_targets_reach_the_loss(case):
    cells = predicted_cells(case)
    loss = case.loss()
    unpredicted = loss_with(
        case, lambda target: torch.where(cells.unsqueeze(-1), target, target.roll(1, 0) + 3)
    )
    assert torch.equal(unpredicted, loss)
    if not cells.any():
        return
    offset = torch.zeros(*cells.shape, 1, requires_grad=True)
    loss_with(case, lambda target: target + offset).backward()
    assert torch.equal(offset.grad.squeeze(-1) != 0, cells)


def test_without_a_mask_it_is_the_plain_backbone(case):
    ours = case.model.backbone
    plain = getattr(mmpretrain.models.backbones, PLAIN[type(ours).__name__])
    keywords = set(inspect.signature(plain.__init__).parameters) - {'init_cfg', 'self'}
    cfg = {key: value for key, value in case.cfg.model.backbone.items() if key in keywords}
    twin = plain(**copy.deepcopy(cfg))
    twin.eval()  # returns None in mmpretrain
    missing, unexpected = twin.load_state_dict(ours.state_dict(), strict=False)
    assert missing == [] and set(unexpected) <= {'mask_token', 'mid_mask_token'}
    image = case.views['image']
    outputs, expected = ours(image), twin(image)
    assert type(outputs) is type(expected) is tuple
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-5)


def test_encoder_drops_only_what_the_config_says(case):
    corrupted = case.corrupt()
    case.model.train()
    first, second = (case.model.backbone(corrupted.images, corrupted.mask) for _ in range(2))
    dropping = any(case.cfg.model.backbone.get(rate) for rate in DROPS)
    assert torch.equal(first, second) is not dropping


def test_eval_is_deterministic_and_train_drops_as_configured(case):
    neck, corrupted = case.model.neck, case.corrupt()
    latent = case.model.backbone(corrupted.images, corrupted.mask)
    assert torch.equal(neck(latent, corrupted.mask), neck(latent, corrupted.mask))
    neck.train()
    equal = torch.equal(neck(latent, corrupted.mask), neck(latent, corrupted.mask))
    assert equal is not bool(case.cfg.model.neck.get('drop_edge', 0))


def test_three_steps_through_its_own_optimizer_wrapper(case):
    model = case.model.train()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        optim_wrapper = build_optim_wrapper(model, case.full.optim_wrapper)
    losses = [model.train_step(case.batch, optim_wrapper)['loss'] for _ in range(3)]
    assert torch.stack(losses).isfinite().all()
    assert torch.unique(torch.stack(losses)).numel() == 3
    changed = {n: not torch.equal(p, before[n]) for n, p in model.named_parameters()}
    assert changed == {n: p.requires_grad for n, p in model.named_parameters()}
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_reconstruction_shows_visible_pixels_unchanged(case):
    result = case.model.reconstruct(case.views)
    hidden = torch.ones_like(result.input, dtype=torch.bool)
    if result.mask is not None:
        hidden = to_pixels(result.mask, result.input).expand_as(result.input)
    assert torch.equal(result.pasted[~hidden], result.input[~hidden])
    assert torch.equal(result.pasted[hidden], result.pred[hidden])
    for images in (result.input, result.corrupted, result.pred, result.pasted, result.target):
        assert images.shape == case.views['image'].shape
        assert images.min() >= 0 and images.max() <= 1
    raw = case.batch['inputs']['image'].float() / 255
    torch.testing.assert_close(result.input, raw, rtol=0, atol=1e-5)
    torch.testing.assert_close(result.target, raw, rtol=0, atol=1e-4)
