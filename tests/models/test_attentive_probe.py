"""The attentive probe: its formula, its frozen encoder, its statistics, its training."""

import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample
from torch import nn

from mmmim.models.heads import AttentiveClsHead, AttentivePool
from mmmim.registry import MODELS

WIDTH, HEADS, CLASSES = 32, 4, 3
ARCH = dict(embed_dims=WIDTH, num_layers=2, num_heads=4, feedforward_channels=64)
BACKBONES = dict(
    vit=dict(type='mmmim.MaskedViT', pos_embed='learned'),
    shared=dict(type='mmmim.MaskedBEiT', rel_pos='shared', drop_path_rate=0.5, drop_rate=0.5),
    per_block=dict(type='mmmim.MaskedBEiT', rel_pos='per_block', pos_embed='sincos_row_first'),
)


def probe(backbone='vit'):
    settings = dict(arch=ARCH, img_size=32, patch_size=8, out_type='raw', frozen_stages=2)
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(
            dict(
                type='ImageClassifier',
                data_preprocessor=dict(mean=[127.0] * 3, std=[60.0] * 3),
                backbone={**settings, **BACKBONES[backbone]},
                head=dict(
                    type='mmmim.AttentiveClsHead',
                    num_classes=CLASSES,
                    in_channels=WIDTH,
                    num_heads=HEADS,
                ),
            )
        )
        model.init_weights()
    return model


def stir(model):
    """Values that no symmetry hides."""
    torch.manual_seed(1)
    for param in model.parameters():
        nn.init.normal_(param, std=0.5)
    return model


def batch(count=24, seed=2):
    """Each class has its colour in one quarter of the image, whichever."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 60, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    samples = []
    for index in range(count):
        label = index % CLASSES
        top, left = 16 * torch.randint(0, 2, (2,), generator=generator)
        images[index, label, top : top + 16, left : left + 16] += 150
        samples.append(DataSample().set_gt_label(label))
    return dict(inputs=list(images), data_samples=samples)


def wrapper(model, **optimizer):
    settings = dict(type='SGD', lr=0.1, momentum=0.9, **optimizer)
    return build_optim_wrapper(
        model,
        dict(
            type='mmmim.OptimWrapper',
            constructor='mmmim.LayerDecayOptimWrapperConstructor',
            optimizer=settings,
        ),
    )


def layer_norm(row, norm):
    centred = row - row.mean()
    return centred / (centred.square().mean() + 1e-6).sqrt() * norm.weight + norm.bias


def loop(pool, tokens):
    """One image, one head, one token at a time; tokens (N, L, D)."""
    attn, size = pool.cross_attn, WIDTH // HEADS
    query = attn.q.weight @ layer_norm(pool.query_token[0, 0], pool.norm_q) + attn.q_bias
    rows = []
    for image in tokens:
        keys = [attn.k.weight @ layer_norm(row, pool.norm_k) for row in image]
        values = [attn.v.weight @ layer_norm(row, pool.norm_v) + attn.v_bias for row in image]
        heads = []
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            scores = torch.stack([query[part] @ key[part] for key in keys]) / size**0.5
            weights = scores.exp() / scores.exp().sum()
            heads.append(sum(w * value[part] for w, value in zip(weights, values)))
        rows.append(attn.proj.weight @ torch.cat(heads) + attn.proj.bias)
    return torch.stack(rows)


def test_pool_like_the_formula():
    pool = stir(AttentivePool(WIDTH, HEADS)).double()
    tokens = torch.randn(2, 5, WIDTH, dtype=torch.float64)
    torch.testing.assert_close(pool(tokens), loop(pool, tokens))


def test_head_normalises_over_the_batch_and_takes_the_class_token_or_not():
    head = stir(AttentiveClsHead(CLASSES, WIDTH, HEADS))
    tokens = torch.randn(6, 5, WIDTH)
    for with_cls_token, seen in ((True, tokens), (False, tokens[:, 1:])):
        head.with_cls_token = with_cls_token
        pooled = loop(head.pool, seen)
        expected = (pooled - pooled.mean(0)) / (pooled.var(0, unbiased=False) + 1e-5).sqrt()
        torch.testing.assert_close(head.pre_logits((tokens,)), expected, rtol=1e-4, atol=1e-4)


def test_initial_values():
    head = probe().head
    assert not head.pool.query_token.any() and not head.pool.cross_attn.q_bias.any()
    assert 0.007 < head.fc.weight.std() < 0.013
    assert 0.017 < head.pool.cross_attn.k.weight.std() < 0.023


@pytest.mark.parametrize('backbone', BACKBONES)
def test_training_leaves_the_encoder_bit_for_bit_and_learns(backbone):
    """Sixty steps with weight decay; a frozen encoder drops nothing either."""
    model = probe(backbone).train()
    leaves = [part for part in model.backbone.modules() if not list(part.children())]
    assert not any(part.training for part in leaves)
    before = copy.deepcopy(model.backbone.state_dict())
    optimizer = wrapper(model, weight_decay=0.1)
    losses = [float(model.train_step(batch(seed=s), optimizer)['loss']) for s in range(10, 70)]
    assert losses[-1] < 0.1 * losses[0]
    after = model.backbone.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    model.parse_losses(model(**model.data_preprocessor(batch(), True), mode='loss'))[0].backward()
    assert all(param.grad is None for param in model.backbone.parameters())
    asked = {name for name, param in model.head.named_parameters() if param.grad.any()}
    # what shifts all scores or all features alike, BatchNorm and softmax take away
    assert asked >= {n for n, _ in model.head.named_parameters() if not n.endswith('bias')}
    model.eval()
    found = model.test_step(batch(seed=3))
    right = [int(sample.pred_label) == int(sample.gt_label) for sample in found]
    assert sum(right) >= 0.9 * len(right)  # a third would be chance


def test_the_encoder_keeps_no_graph():
    model = probe().train()
    model.head.requires_grad_(False)
    tokens = model.extract_feat(torch.randn(2, 3, 32, 32))[-1]
    assert not tokens.requires_grad


def test_statistics_move_in_training_alone():
    model = probe().train()
    norm = model.head.norm
    data = model.data_preprocessor(batch(), training=True)
    model(**data, mode='loss')
    pooled = model.head.pool(model.extract_feat(data['inputs'])[-1])
    torch.testing.assert_close(norm.running_mean, 0.1 * pooled.mean(0).detach())
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * pooled.var(0).detach())
    before = copy.deepcopy(norm.state_dict())
    model.eval()
    with torch.no_grad():
        both = model.test_step(batch())
        alone = model.test_step({name: part[:1] for name, part in batch().items()})
    torch.testing.assert_close(both[0].pred_score, alone[0].pred_score)
    assert all(torch.equal(norm.state_dict()[name], before[name]) for name in before)


def test_a_backbone_that_pools_is_refused():
    head = AttentiveClsHead(CLASSES, WIDTH, HEADS)
    with pytest.raises(ValueError, match="out_type='raw'"):
        head((torch.zeros(2, WIDTH),))
