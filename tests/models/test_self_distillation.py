import copy

import pytest
import torch
from contrastive_parts import VIT, batch, build, cut, train
from mmengine.config import Config
from mmengine.logging import MessageHub

from mmmim.engine.encoder_file import encoder_meta, write_encoder
from mmmim.transfer import load_pretrained

K = 12
HEAD = dict(type='mmmim.PrototypeHead', in_dims=16, num_prototypes=K, hidden_dims=24, proj_dims=8)
DINO = dict(
    type='mmmim.SelfDistillation',
    backbone=dict(VIT, out_type='raw', pos_embed='learned'),
    neck=HEAD,
    loss=dict(type='mmmim.SelfDistillationLoss', num_prototypes=K),
    momentum=0.9,
)
IBOT = dict(
    DINO,
    backbone=dict(DINO['backbone'], masked='replace', init='trunc_normal'),
    patch_loss=dict(type='mmmim.MaskedSelfDistillationLoss', num_prototypes=K),
    corruption=dict(
        type='mmmim.VaryingMasking', patch_size=8, min_patches=2, ratios=[(0.4, 0.1)], seed=0
    ),
)


def by_hand(model, views, mask=None):
    """The losses from the parts, view by view, teacher and student apart."""
    teacher = model.momentum_encoder.module
    n, names = len(views['view1']), ('view1', 'view2')
    teach = [teacher.backbone(views[name])[-1] for name in names]
    if mask is None:
        latents = [model.backbone(views[name])[-1] for name in names]
    else:
        halves = mask[:n], mask[n:]
        latents = [model.backbone(views[name], half) for name, half in zip(names, halves)]
    student = [model.neck(latent[:, 0]) for latent in latents]
    for k in range(views['local'].shape[1]):
        student.append(model.neck(model.backbone(views['local'][:, k])[-1][:, 0]))
    probs = [(teacher.neck(t[:, 0]) / 0.04).softmax(-1) for t in teach]
    log = [(s / 0.1).log_softmax(-1) for s in student]
    pairs = [(t, v) for t in range(2) for v in range(len(log)) if v != t]
    cls = sum(-(probs[t] * log[v]).sum(-1).mean() for t, v in pairs) / len(pairs)
    if mask is None:
        return cls, None
    patch = []
    for t in range(2):
        p = (teacher.neck(teach[t][:, 1:]) / 0.04).softmax(-1)
        q = (model.neck(latents[t][:, 1:]) / 0.1).log_softmax(-1)
        hidden = halves[t].flatten(1)
        error = torch.where(hidden, -(p * q).sum(-1), 0.0).sum(1)
        patch.append((error / hidden.sum(1).clamp(min=1)).mean())
    return cls, sum(patch) / 2


def perturb(model):
    """A teacher that differs from the student."""
    generator = torch.Generator().manual_seed(1)
    for parameter in model.momentum_encoder.module.parameters():
        parameter.data += 0.02 * torch.randn(parameter.shape, generator=generator)
    return model


def test_classes_against_the_parts_view_by_view():
    model, views = perturb(build(DINO)).eval(), batch(local=3)
    with torch.no_grad():
        losses = model.loss(views)
        expected, _ = by_hand(model, views)
    assert set(losses) == {'loss_cls'}
    torch.testing.assert_close(losses['loss_cls'], expected, rtol=1e-5, atol=1e-6)


def test_classes_and_patches_against_the_parts():
    model, views = perturb(build(IBOT, patch_weight=0.5)).eval(), batch(local=2)
    with torch.no_grad():
        model.backbone.mask_token.normal_()
        losses = model.loss(views)
        mask = model.draw_masks(views)
        cls, patch = by_hand(model, views, mask)
        given = model.loss(views, mask=mask)
    assert mask.any() and not torch.equal(mask[:4], mask[4:])
    torch.testing.assert_close(losses['loss_cls'], cls, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(losses['loss_patch'], 0.5 * patch, rtol=1e-5, atol=1e-6)
    assert torch.equal(given['loss_patch'], losses['loss_patch'])


def test_masks_are_functions_of_sample_and_view():
    model, views = build(IBOT), batch(samples=8)
    whole = model.draw_masks(views)
    for i in range(8):
        alone = model.draw_masks(cut(views, i, i + 1))
        assert torch.equal(alone, whole[[i, 8 + i]])
    other = model.draw_masks(dict(views, epoch=views['epoch'] + 1))
    assert not torch.equal(other, whole)


def test_the_teacher_gets_no_gradient():
    model, views = build(DINO), batch()
    student = model.backbone.patch_embed.projection.weight
    model.loss(views)['loss_cls'].backward()
    assert student.grad.abs().sum() > 0
    assert all(p.grad is None for p in model.momentum_encoder.parameters())


@pytest.mark.parametrize('cfg', [DINO, IBOT], ids=['classes', 'patches'])
def test_two_micro_batches_equal_one_batch(cfg):
    """Weights, teacher and centres after three steps; nothing here normalises over the batch."""
    whole, parts = build(cfg).train(), build(cfg).train()
    batches = [batch(samples=4, local=2, seed=i, start=4 * i) for i in range(3)]
    train(whole, batches)
    train(parts, [cut(b, i, i + 2) for b in batches for i in (0, 2)], accumulate=2)
    state = parts.state_dict()
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(state[name], value, rtol=1e-4, atol=1e-6, msg=name)
    assert whole.loss_module.center.mean.any()
    assert int(whole.momentum_encoder.updates) == 3


def test_teacher_and_centre_move_after_the_step_along_the_cosine():
    MessageHub.get_instance('cosine')
    MessageHub.get_current_instance().update_info('max_updates', 4)
    model = build(DINO).train()
    teacher = copy.deepcopy(model.momentum_encoder.module.neck.mlp[0].weight)
    views = batch()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for step in range(3):
        model.loss(views)['loss_cls'].backward()
        optimizer.step()
        optimizer.zero_grad()
        m = 1 - (1 - 0.9) * (torch.pi * torch.tensor(step / 4)).cos().add(1) / 2
        teacher = m * teacher + (1 - m) * model.neck.mlp[0].weight.detach()
        torch.testing.assert_close(model.momentum_encoder.module.neck.mlp[0].weight, teacher)
    MessageHub.get_current_instance().update_info('max_updates', None)


def test_teacher_has_no_stochastic_depth():
    cfg = dict(DINO, backbone=dict(DINO['backbone'], drop_path_rate=0.5))
    model, views = build(cfg).train(), batch()
    scores = [model.momentum_encoder(views['view1'], patches=False)[0] for _ in range(2)]
    assert torch.equal(*scores)
    student = [model.backbone(views['view1'])[-1] for _ in range(2)]
    assert not torch.equal(*student)


def test_prototypes_are_cosines_and_learn_as_weight_normalisation_does():
    """Scores and gradients against torch's parametrisation of the same layer."""
    head = build(dict(HEAD, unit_length=False))
    linear = torch.nn.Linear(8, K, bias=False)
    linear.weight.data.copy_(head.last_layer.weight_v)
    normed = torch.nn.utils.parametrizations.weight_norm(linear)
    normed.parametrizations.weight.original0.data.fill_(1.0)
    tokens = torch.randn(5, 16)
    unit = torch.nn.functional.normalize(head.mlp(tokens), dim=-1)
    ours, theirs = head(tokens), normed(unit)
    torch.testing.assert_close(ours, theirs)
    assert ours.abs().max() <= 1 + 1e-6
    weights = torch.randn(5, K)
    (ours * weights).sum().backward()
    (theirs * weights).sum().backward()
    grads = normed.parametrizations.weight
    torch.testing.assert_close(head.last_layer.weight_g.grad, grads.original0.grad)
    torch.testing.assert_close(head.last_layer.weight_v.grad, grads.original1.grad)
    assert not build(HEAD).last_layer.weight_g.requires_grad


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(corruption=None), 'both or not at all'),
        (dict(backbone=dict(IBOT['backbone'], out_type='cls_token')), "out_type='raw'"),
        (dict(backbone=dict(IBOT['backbone'], masked='drop')), "masked='replace'"),
        (dict(neck=dict(HEAD, num_prototypes=5)), 'num_prototypes = 12 does not fit'),
        (dict(neck=dict(HEAD, num_layers=0)), 'num_layers=0'),
    ],
)
def test_parts_that_do_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        build(IBOT, **changes)


def test_the_encoder_file_holds_the_teacher(tmp_path):
    model = perturb(build(IBOT))
    path = tmp_path / 'encoder.pth'
    cfg = Config(dict(model=dict(backbone=IBOT['backbone'])))
    write_encoder(path, model.state_dict(), encoder_meta(model, cfg))
    other = build(dict(IBOT['backbone'], masked='drop'))
    report = load_pretrained(other, path)
    teacher = model.momentum_encoder.module.backbone.state_dict()
    assert len(report.loaded) == len(other.state_dict()) == len(teacher) - 1  # the mask token
    for name, value in other.state_dict().items():
        assert torch.equal(value, teacher[name]), name
    assert not torch.equal(other.cls_token, model.backbone.cls_token)


def test_prototypes_cannot_be_drawn():
    with pytest.raises(ValueError, match='cannot be drawn'):
        build(DINO).reconstruct(batch())
