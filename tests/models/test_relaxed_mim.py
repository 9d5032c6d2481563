"""R-MAE against a loop written from Eq. (8), for its three second views."""

import copy
import math

import pytest
import torch
from helpers.masks import random_mask
from mmengine.registry import DefaultScope
from skimage.metrics import peak_signal_noise_ratio

from mmmim.models.tokens import num_masked, patchify
from mmmim.registry import MODELS

P, SIZE, GRID, N = 4, (12, 16), (3, 4), 3
MEAN = torch.tensor((123.675, 116.28, 103.53)).view(1, 3, 1, 1) / 255
STD = torch.tensor((58.395, 57.12, 57.375)).view(1, 3, 1, 1) / 255
ARCH = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)
CFG = dict(
    type='mmmim.RelaxedMIM',
    corruption=dict(type='mmmim.RandomMasking', patch_size=P),
    backbone=dict(type='mmmim.MaskedViT', arch=ARCH, img_size=SIZE, patch_size=P, out_type='raw'),
    neck=dict(
        type='mmmim.TransformerDecoder', in_dims=16, out_dims=48, embed_dims=16, num_layers=1,
        num_heads=2, img_size=SIZE, patch_size=P,
    ),
    target=dict(type='mmmim.PixelTarget', patch_size=P),
    loss=dict(type='mmmim.MaskedRegressionLoss'),
)  # fmt: skip


def build(**options):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build({**copy.deepcopy(CFG), **options})
        model.init_weights()
    return model.eval()


@pytest.fixture
def views():
    index = torch.arange(N)
    image = (torch.rand(N, 3, *SIZE) - MEAN) / STD
    return dict(image=image, sample_index=index, epoch=torch.zeros_like(index))


def normalised_patches(image):
    """MAE's target, patch by patch."""
    patches = patchify(image, P)
    rows = [[(t - t.mean()) / (t.var() + 1e-6).sqrt() for t in sample] for sample in patches]
    return torch.stack([torch.stack(row) for row in rows])


def decoded(model, image, mask):
    """d(f(x)) of every cell, one sample at a time."""
    outputs = []
    for n in range(len(image)):
        one = None if mask is None else mask[n : n + 1]
        latent = model.backbone(image[n : n + 1], one)
        latent = latent[-1] if isinstance(latent, tuple) else latent
        outputs.append(model.neck(latent, one, predict='all')[0])
    return outputs


def loop_loss(model, image, mask, second, weight):
    """Eq. (8): cells hidden by T1 and shown by T2, summed one by one."""
    from_first, from_second = decoded(model, image, mask), decoded(model, image, second)
    truth = normalised_patches(image)
    distance, constraint, count = 0.0, 0.0, 0
    for n in range(len(image)):
        for cell, hidden in enumerate(mask[n].flatten().tolist()):
            shown = second is None or not second[n].flatten()[cell].item()
            if hidden and shown:
                distance += (from_first[n][cell] - from_second[n][cell]).square().mean().item()
                constraint += (from_second[n][cell] - truth[n][cell]).square().mean().item()
                count += 1
    return distance / count, weight * constraint / count


@pytest.mark.parametrize('second', ['complement', 'independent', 'identity'])
def test_the_loss_is_equation_8(views, second):
    model, mask = build(second=second, weight=0.5), random_mask(N, GRID, 9)
    other = {'complement': ~mask, 'independent': random_mask(N, GRID, 3, seed=5), 'identity': None}
    given = None if second == 'complement' else other[second]
    losses = model.loss(views, mask=mask, second_mask=given)
    distance, constraint = loop_loss(model, views['image'], mask, other[second], 0.5)
    assert losses['loss_distance'].item() == pytest.approx(distance, rel=1e-4)
    assert losses['loss_constraint'].item() == pytest.approx(constraint, rel=1e-4)


def test_the_drawn_second_views(views):
    mask = build().corruption(views).mask
    assert torch.equal(build().second.draw(views, mask), ~mask)
    assert build(second='identity').second.draw(views, mask) is None
    many = dict(image=torch.zeros(1).expand(400, 3, *SIZE), sample_index=torch.arange(400))
    many['epoch'] = torch.zeros(400, dtype=torch.long)
    model = build(second='independent')
    first = model.corruption(many).mask
    second = model.second.draw(many, first)
    assert second.flatten(1).sum(1).unique().tolist() == [3]
    both = (first & second).float().mean().item()  # 0.75 * 0.25 if independent
    assert both == pytest.approx(0.1875, abs=0.015)
    assert torch.equal(model.second.draw(many, first), second)


def test_the_complement_is_counted_without_looking(views):
    model = build()
    mask = model.corruption(views).mask
    other = model.second.draw(views, mask)
    assert other._mmmim_count[1] == 3 == num_masked(other)


def test_gradients_flow_through_both_views_unless_detached(views):
    grads = {}
    for detach in (False, True):
        model, mask = build(detach_second=detach), random_mask(N, GRID, 9)
        model.loss(views, mask=mask)['loss_distance'].backward()
        grads[detach] = model.backbone.patch_embed.projection.weight.grad.clone()
    model = build()
    target = torch.stack(decoded(model, views['image'], ~mask)).detach()
    pred = torch.stack(decoded(model, views['image'], mask))
    (pred - target).square().mean(-1)[mask.flatten(1)].mean().backward()
    torch.testing.assert_close(grads[True], model.backbone.patch_embed.projection.weight.grad)
    assert not torch.allclose(grads[True], grads[False], rtol=0.1)


@pytest.mark.parametrize('region', ['masked', 'all', 'composite'])
def test_psnr_is_that_of_scikit_image(views, region):
    """The prediction from T1, mapped back by the true statistics of the patches."""
    model, mask = build(psnr_region=region), random_mask(N, GRID, 9)
    result = model.reconstruct(views, mask)
    wide = mask.repeat_interleave(P, 1).repeat_interleave(P, 2).unsqueeze(1).expand(-1, 3, -1, -1)
    made = result.pasted if region == 'composite' else result.pred
    values = []
    for n in range(N):
        pair = [x[n][wide[n]] if region == 'masked' else x[n] for x in (result.input, made)]
        truth, image = (x.double().numpy() for x in pair)
        values.append(peak_signal_noise_ratio(truth, image, data_range=1))
    expected = sum(values) / N
    assert model.loss(views, mask=mask)['psnr'].item() == pytest.approx(expected, abs=1e-3)
    assert math.isfinite(expected) and expected < 30


def test_psnr_is_logged_but_not_trained(views):
    model = build()
    loss, log = model.parse_losses(model.loss(views))
    assert set(log) == {'loss', 'loss_distance', 'loss_constraint', 'psnr'}
    torch.testing.assert_close(loss, log['loss_distance'] + log['loss_constraint'])
    assert 'psnr' not in build(psnr_region=None).loss(views)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(second='inverse'), "second must be one of .* got 'inverse'"),
        (dict(psnr_region='half'), "psnr_region must be one of .* got 'half'"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_it_needs_a_mask():
    cutmix = dict(corruption=dict(type='mmmim.CutMix'), neck={**CFG['neck'], 'mask_tokens': False})
    with pytest.raises(ValueError, match='CutMix: the two views of R-MAE need'):
        build(**cutmix)
