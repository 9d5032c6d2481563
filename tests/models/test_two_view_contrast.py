import math

import pytest
import torch
from contrastive_parts import VIT, batch, build, cut, train
from mmpretrain.models.heads import MoCoV3Head
from mmpretrain.models.selfsup import MoCoV3ViT

NORM = dict(type='BN1d')
NECK = dict(
    type='mmmim.ProjectionMLP', in_dims=16, hidden_dims=24, out_dims=8, num_layers=3, act='ReLU'
)
MOCO = dict(
    type='mmmim.TwoViewContrast',
    backbone=dict(VIT, init='moco', frozen_patch_embed=True, pos_embed='sincos_row_first'),
    neck=dict(NECK, head_norm=NORM),
    predictor=dict(NECK, in_dims=8, num_layers=2, head_norm=NORM),
    loss=dict(type='mmmim.InfoNCELoss', temperature=0.2),
    momentum=0.9,
)
PLAIN = dict(  # without statistics over the batch
    MOCO,
    neck=dict(NECK, head_norm=None),
    predictor=dict(NECK, in_dims=8, num_layers=2, head_norm=None),
)


def their_head():
    """mmpretrain's predictor and loss."""
    predictor = dict(
        type='NonLinearNeck',
        in_channels=8,
        hid_channels=24,
        out_channels=8,
        num_layers=2,
        with_last_bn_affine=False,
        with_avg_pool=False,
        norm_cfg=NORM,
    )
    loss = dict(type='CrossEntropyLoss', loss_weight=2 * 0.2)
    return MoCoV3Head(predictor=predictor, loss=loss, temperature=0.2)


def test_loss_and_gradient_equal_mmpretrains():
    model, head, views = build(MOCO).train(), their_head().train(), batch(samples=6)
    pairs = zip(head.predictor.parameters(), model.predictor.parameters(), strict=True)
    for theirs, ours in pairs:
        theirs.data.copy_(ours)
    loss = model.loss(views)['loss']
    queries = [model.neck(model.backbone(views[name])[-1]) for name in ('view1', 'view2')]
    keys = [model.momentum_encoder(views[name]) for name in ('view1', 'view2')]
    expected = head.loss(queries[0], keys[1]) + head.loss(queries[1], keys[0])
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)
    ours = torch.autograd.grad(loss, list(model.predictor.parameters()))
    theirs = torch.autograd.grad(expected, list(head.predictor.parameters()))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_loss_by_loops():
    model, views = build(PLAIN).eval(), batch(samples=5)
    with torch.no_grad():
        loss = model.loss(views)['loss'].item()
        names = ('view1', 'view2')
        q = [model.predictor(model.neck(model.backbone(views[n])[-1])).tolist() for n in names]
        k = [model.momentum_encoder(views[n]).tolist() for n in names]

    def cosine(a, b):
        dot = sum(x * y for x, y in zip(a, b))
        return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    def contrast(queries, keys):
        total = 0
        for i, query in enumerate(queries):
            exps = [math.exp(cosine(query, key) / 0.2) for key in keys]
            total -= math.log(exps[i] / sum(exps))
        return 2 * 0.2 * total / len(queries)

    assert loss == pytest.approx(contrast(q[0], k[1]) + contrast(q[1], k[0]), rel=1e-4)


def test_average_moves_once_per_step_however_many_micro_batches():
    """Same samples in each micro-batch, so that negatives agree: equal to one batch."""
    whole, parts = build(PLAIN).train(), build(PLAIN).train()
    batches = [batch(seed=i) for i in range(3)]
    train(whole, batches)
    train(parts, [b for b in batches for _ in range(2)], accumulate=2)
    state = parts.state_dict()
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(state[name], value, rtol=1e-4, atol=1e-6, msg=name)
    assert int(parts.momentum_encoder.updates) == 3


def test_batch_norm_sees_one_view_at_a_time():
    model, views = build(MOCO).train(), batch(samples=6)
    norm = model.neck.layers[1]
    means = []
    norm.register_forward_pre_hook(lambda module, args: means.append(len(args[0])))
    model.loss(views)
    assert means == [6, 6]


def test_patch_embedding_is_frozen_and_keys_get_no_gradient():
    model = build(MOCO).train()
    before = model.backbone.patch_embed.projection.weight.clone()
    train(model, [batch(seed=i) for i in range(2)])
    assert torch.equal(model.backbone.patch_embed.projection.weight, before)
    assert all(not p.requires_grad for p in model.momentum_encoder.parameters())
    average = model.momentum_encoder.module.backbone.layers[0].attn.qkv.weight
    assert not torch.equal(average, model.backbone.layers[0].attn.qkv.weight)


def test_initial_values_are_mmpretrains():
    """Bounds of the uniform weights, and what is fixed, at a width where they can be told."""
    arch = dict(embed_dims=64, num_layers=2, num_heads=4, feedforward_channels=128)
    ours = build(dict(MOCO['backbone'], arch=arch))
    theirs = MoCoV3ViT(arch=arch, img_size=32, patch_size=8, stop_grad_conv1=True)
    theirs.init_weights()
    state = theirs.state_dict()
    torch.testing.assert_close(ours.pos_embed, state['pos_embed'], rtol=1e-5, atol=1e-5)
    trained = {n for n, p in ours.named_parameters() if p.requires_grad}
    assert trained == {n for n, p in theirs.named_parameters() if p.requires_grad}
    for name, value in ours.state_dict().items():
        if value.dim() > 1 and 'embed' not in name and 'token' not in name:
            assert value.abs().max() == pytest.approx(state[name].abs().max().item(), rel=0.02)
            assert value.std() == pytest.approx(state[name].std().item(), rel=0.05)
    for module in (ours, theirs):
        assert 0 < module.cls_token.std() < 2e-6
        assert module.layers[0].attn.qkv.weight.abs().max() > (6 / 256) ** 0.5  # not one xavier


def test_a_backbone_without_a_vector_is_refused():
    with pytest.raises(ValueError, match="out_type='raw'"):
        build(MOCO, backbone=dict(VIT, out_type='raw'))


def test_vectors_cannot_be_drawn():
    with pytest.raises(ValueError, match='cannot be drawn'):
        build(PLAIN).reconstruct(cut(batch(), 0, 1))
