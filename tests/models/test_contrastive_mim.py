"""C-MAE against loops written from Eqs. (9) to (11); what is compared with what."""

import copy
import math

import pytest
import torch
from helpers.masks import random_mask
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope

from mmmim.registry import MODELS

P, SIZE, GRID, N, L = 4, (12, 16), (3, 4), 4, 12
ARCH = dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32)
HEAD = dict(type='mmmim.ProjectionMLP', hidden_dims=8, out_dims=6, head_norm=dict(type='BN1d'))
CFG = dict(
    type='mmmim.ContrastiveMIM',
    corruption=dict(type='mmmim.RandomMasking', patch_size=P),
    backbone=dict(
        type='mmmim.MaskedViT', arch=ARCH, img_size=SIZE, patch_size=P, out_type='raw',
        masked='replace',
    ),
    neck=HEAD,
    predictor=HEAD,
    loss=dict(type='mmmim.InfoNCELoss', temperature=0.2),
)  # fmt: skip
BYOL = dict(loss=dict(type='mmmim.CosineDistanceLoss'))
DROP = dict(backbone=dict(masked='drop'), second='independent')


def build(backbone=None, **options):
    """A model whose momentum encoder differs from the online one, as after some steps."""
    torch.manual_seed(0)
    cfg = {**copy.deepcopy(CFG), **copy.deepcopy(options)}
    cfg['backbone'] = {**cfg['backbone'], **(backbone or {})}
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg)
        model.init_weights()
    for name, parameter in model.named_parameters():
        if 'momentum' in name:
            parameter.data.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture
def views():
    index = torch.arange(N)
    return dict(image=torch.randn(N, 3, *SIZE), sample_index=index, epoch=torch.zeros_like(index))


def loop_features(backbone, neck, predictor, image, mask, what):
    """{(sample, token index): vector} of one branch; index -1 is the class token, -2 the mean."""
    result = {}
    for n in range(len(image)):
        one = None if mask is None else mask[n : n + 1]
        latent = backbone(image[n : n + 1], one)
        latent = (latent[-1] if isinstance(latent, tuple) else latent)[0]
        cells = list(range(L))
        if mask is not None and backbone_drops(backbone):
            cells = [cell for cell in cells if not mask[n].flatten()[cell]]
        rows = {-1: latent[0], **{cell: latent[1 + k] for k, cell in enumerate(cells)}}
        mean = torch.stack([rows[cell] for cell in cells]).mean(0)
        wanted = {'cls': [-1], 'mean': [-2], 'token': cells, 'token+cls': [-1, *cells]}[what]
        for key in wanted:
            vector = neck((mean if key == -2 else rows[key])[None])
            vector = predictor(vector) if predictor is not None else vector
            result[n, key] = vector[0].tolist()
    return result


def backbone_drops(backbone):
    return getattr(backbone, 'module', backbone).masked == 'drop'


def similarity(q, k):
    """Eq. (10)."""
    dot = sum(a * b for a, b in zip(q, k))
    return dot / math.sqrt(sum(a * a for a in q)) / math.sqrt(sum(b * b for b in k))


def infonce(n, index, query, keys):
    """Eq. (9), times MoCo v3's 2 tau."""
    terms = {m: math.exp(similarity(query, k) / 0.2) for (m, i), k in keys.items() if i == index}
    return -0.4 * math.log(terms[n] / sum(terms.values()))


def byol(n, index, query, keys):
    return 2 - 2 * similarity(query, keys[n, index])


def loop_loss(model, image, mask, second, what, measure):
    """Eq. (11): queries of T1 against keys of T2, where both views have the token."""
    queries = loop_features(model.backbone, model.neck, model.predictor, image, mask, what)
    keys = loop_features(model.momentum_backbone, model.momentum_neck, None, image, second, what)
    shared = [place for place in queries if place in keys]
    return sum(measure(n, i, queries[n, i], keys) for n, i in shared) / len(shared)


@pytest.mark.parametrize('form', ['infonce', 'byol'])
@pytest.mark.parametrize('what', ['token', 'token+cls', 'cls', 'mean'])
@pytest.mark.parametrize('masked', ['replace', 'drop'])
def test_the_loss_is_equation_11(views, masked, what, form):
    options = {**(DROP if masked == 'drop' else {}), **(BYOL if form == 'byol' else {})}
    model, mask = build(tokens=what, **options), random_mask(N, GRID, 9)
    second = random_mask(N, GRID, 3, seed=2) if masked == 'drop' else ~mask
    given = second if masked == 'drop' else None
    losses = model.loss(views, mask=mask, second_mask=given)
    measure = {'infonce': infonce, 'byol': byol}[form]
    for name, pair in dict(loss_first=(mask, second), loss_second=(second, mask)).items():
        expected = loop_loss(model, views['image'], *pair, what, measure)
        assert losses[name].item() == pytest.approx(expected, rel=1e-4), name
    model.symmetric = False
    assert set(model.loss(views, mask=mask, second_mask=given)) == {'loss_first'}


def test_without_any_mask_both_views_are_whole(views):
    """Table 5, the row without transformations."""
    degrade = dict(corruption=dict(type='mmmim.CutMix', area=(0, 0)))
    model = build(backbone=dict(masked='drop'), **degrade)
    expected = loop_loss(model, views['image'], None, None, 'token', infonce)
    assert model.loss(views)['loss_first'].item() == pytest.approx(expected, rel=1e-4)


def test_views_differ_in_mask_colour_and_pasted_region(views):
    model = build(
        corruption=dict(
            type='mmmim.CorruptionSequence', steps=[dict(type='mmmim.CutMix'), CFG['corruption']]
        ),
        augmentation=dict(type='mmmim.RandomColorJitter', prob=1.0),
    )
    first, second = model.make_views(views)
    assert torch.equal(second.mask, ~first.mask)
    again = model.make_views(views)
    assert torch.equal(first.images, again[0].images)
    assert torch.equal(second.images, again[1].images)
    for a, b in zip(first.images, second.images):
        assert (a != b).float().mean() > 0.9
    plain = build().make_views(views)
    assert torch.equal(plain[0].images, views['image'])
    assert torch.equal(plain[1].images, views['image'])


def test_hidden_pixels_do_not_change_the_loss_through_the_colours(views):
    """Contrast of T1 refers to what T1 shows: with keys fixed, hidden pixels change nothing."""
    model = build(augmentation=dict(type='mmmim.RandomColorJitter', prob=1.0))
    mask = random_mask(N, GRID, 9)
    wide = mask.repeat_interleave(P, 1).repeat_interleave(P, 2).unsqueeze(1)
    changed = dict(views, image=torch.where(wide, torch.randn(N, 3, *SIZE), views['image']))
    first, other = (model.make_views(v, mask)[0] for v in (views, changed))
    latent = model.backbone(first.images, mask)
    assert torch.equal(model.backbone(other.images, mask), latent)


def test_keys_come_from_the_average_without_gradient(views):
    model = build()
    losses = model.loss(views)
    sum(losses.values()).backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
        else:
            assert parameter.grad is None
    before = losses['loss_first'].item()
    model.momentum_backbone.init_weights()
    assert model.loss(views)['loss_first'].item() != pytest.approx(before, rel=1e-3)


def test_the_average_follows_accumulated_steps_and_a_resume_goes_on(views):
    """Four micro-batches in steps of two; then twice two with a checkpoint between."""
    index = views['sample_index']

    def batches(start, stop):
        for k in range(start, stop):
            torch.manual_seed(k)
            image = torch.randint(0, 256, (N, 3, *SIZE), dtype=torch.uint8)
            yield dict(inputs=dict(image=image, sample_index=index + k * N, epoch=views['epoch']))

    def start():
        model = build(corruption={**CFG['corruption'], 'seed': 0}).train()
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
        wrapper = OptimWrapper(optimizer, accumulative_counts=2)
        wrapper.initialize_count_status(model, 0, 8)
        return model, wrapper

    model, wrapper = start()
    history = []
    for data in batches(0, 4):
        model.train_step(data, wrapper)
        history.append(model.momentum_neck.module.layers[0].weight.clone())
    assert model.momentum_neck.count == model.momentum_backbone.count == 2
    assert torch.equal(history[1], history[2]) and not torch.equal(history[2], history[3])

    model, wrapper = start()
    for data in batches(0, 2):
        model.train_step(data, wrapper)
    states = copy.deepcopy((model.state_dict(), wrapper.state_dict()))
    resumed, wrapper = start()
    resumed.load_state_dict(states[0])
    wrapper.load_state_dict(states[1])
    for data in batches(2, 4):
        resumed.train_step(data, wrapper)
    assert torch.equal(resumed.momentum_neck.module.layers[0].weight, history[3])


def test_momentum_zero_keeps_no_copy(views):
    model = build(momentum=dict(momentum=0))
    assert not any(name.startswith('momentum') for name in model.state_dict())
    keys = model.momentum_neck(model.momentum_backbone(views['image'])[-1])
    assert torch.equal(keys, model.neck(model.backbone(views['image'])[-1]))
    assert not keys.requires_grad


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(tokens='patch'), "tokens must be one of .* got 'patch'"),
        (dict(backbone=dict(out_type='cls_token')), "out_type is 'cls_token': set 'raw'"),
        (dict(tokens='cls', backbone=dict(with_cls_token=False)), 'needs a backbone with a class'),
        (dict(backbone=dict(masked='drop')), "set second='independent'"),
        (dict(backbone=dict(patch_size=2)), 'patch_size = 4 does not fit'),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_features_cannot_be_drawn(views):
    with pytest.raises(ValueError, match='cannot be drawn as pixels'):
        build().reconstruct(views)
