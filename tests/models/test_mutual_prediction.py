import math

import pytest
import torch
from contrastive_parts import ARCH, build

from mmmim.models import tokens
from mmmim.models.losses import TokenCrossEntropy

GRID, K = (4, 4), 11
CFG = dict(
    type='mmmim.MutualPrediction',
    corruption=dict(type='mmmim.RandomMasking', patch_size=8, mask_ratio=0.5, seed=0),
    backbone=dict(type='mmmim.MaskedViT', arch=ARCH, img_size=32, patch_size=8, out_type='raw'),
    neck=dict(
        type='mmmim.TransformerDecoder',
        in_dims=16,
        out_dims=192,
        embed_dims=16,
        num_layers=2,
        num_heads=2,
        img_size=32,
        patch_size=8,
    ),
    target=dict(type='mmmim.PixelTarget', patch_size=8, per_patch=False),
    loss=dict(type='mmmim.MaskedRegressionLoss', p=2),
    contrast=dict(type='mmmim.InfoNCELoss', temperature=0.1, scale=1.0),
    contrast_weight=0.5,
)


class Tokens(torch.nn.Module):
    """Some token for each cell, as a tokenizer would give it."""

    dims, reconstructs = K, False

    def forward(self, views, geometry=None):
        return (views['sample_index'].unsqueeze(1) * 5 + torch.arange(16)) % K


def model_of_tokens():
    model = build(CFG, neck=dict(CFG['neck'], out_dims=192))
    torch.manual_seed(1)
    model.neck.decoder_pred = torch.nn.Linear(16, K)
    model.target = Tokens()
    model.loss_module = TokenCrossEntropy()
    return model


def views(samples=3):
    generator = torch.Generator().manual_seed(0)
    index = torch.arange(samples)
    image = torch.randn(samples, 3, 32, 32, generator=generator)
    return dict(image=image, sample_index=index, epoch=torch.zeros_like(index))


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def info_nce(queries, keys):
    total = 0
    for i, query in enumerate(queries):
        exps = [math.exp(cosine(query, key) / 0.1) for key in keys]
        total -= math.log(exps[i] / sum(exps))
    return total / len(queries)


def test_both_directions_and_the_contrast_by_loops():
    model, batch = model_of_tokens().eval(), views()
    mask = model.corruption(batch).mask
    with torch.no_grad():
        losses = model.loss(batch)
        target = model.target(batch)
        summaries = {}
        for name, hidden in (('second', mask), ('first', ~mask)):
            latent = model.backbone(batch['image'], hidden)
            assert latent.shape[1] == 1 + 8
            pred, features = model.neck(latent, hidden, with_features=True)
            terms = []
            for n in range(3):
                cells = [c for c in range(16) if hidden[n].flatten()[c]]
                for place, cell in enumerate(cells):
                    log = pred[n, place].log_softmax(0)
                    terms.append(-log[target[n, cell]].item())
            assert losses[f'loss_{name}'].item() == pytest.approx(sum(terms) / 24, rel=1e-4)
            summaries[name] = features.mean(1).tolist()
    a, b = summaries['second'], summaries['first']
    expected = 0.5 * (info_nce(a, b) + info_nce(b, a)) / 2
    assert losses['loss_contrast'].item() == pytest.approx(expected, rel=1e-4)


def test_each_half_is_encoded_without_the_other():
    model, batch = build(CFG).eval(), views()
    mask = model.corruption(batch).mask
    wide = mask.repeat_interleave(8, 1).repeat_interleave(8, 2).unsqueeze(1)
    noise = torch.randn_like(batch['image'])
    for hidden, covered in ((mask, wide), (~mask, ~wide)):
        changed = torch.where(covered, noise, batch['image'])
        first, second = model.backbone(batch['image'], hidden), model.backbone(changed, hidden)
        assert torch.equal(first, second)


def test_features_are_what_the_last_layer_sees():
    model, batch = build(CFG).eval(), views()
    mask = model.corruption(batch).mask
    latent = model.backbone(batch['image'], mask)
    for predict in ('masked', 'all'):
        pred, features = model.neck(latent, mask, predict, with_features=True)
        assert torch.equal(model.neck.decoder_pred(features), pred)
        assert torch.equal(model.neck(latent, mask, predict), pred)


def test_a_given_mask_swaps_the_halves():
    model, batch = build(CFG).eval(), views()
    mask = model.corruption(batch).mask
    other = tokens.stamp(~mask, 8)
    one, two = model.loss(batch, mask=mask), model.loss(batch, mask=other)
    torch.testing.assert_close(one['loss_first'], two['loss_second'])
    torch.testing.assert_close(one['loss_contrast'], two['loss_contrast'])


@pytest.mark.parametrize(
    'changes',
    [
        dict(
            backbone=dict(CFG['backbone'], masked='replace'),
            neck=dict(CFG['neck'], mask_tokens=False),
        ),
        dict(corruption=dict(type='mmmim.VaryingMasking', patch_size=8, min_patches=2)),
    ],
    ids=['replace', 'counts'],
)
def test_parts_that_do_not_fit(changes):
    with pytest.raises(ValueError, match='encodes each half alone'):
        build(CFG, **changes)
